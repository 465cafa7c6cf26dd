"""The compiler: turns a task file into a ``Flow``, or reports every problem of the file.

Begin with ``pipeline``, which names all stages in order. This package has the stages ``bind``, ``analyze`` and ``link``
with their checks, the ``registry`` of step classes and the ``flow_cache``; the other stages are in ``syntax``,
``templates``, ``core.weave`` and ``optimize``. It may import all of these; ``core`` must not import it.
"""
