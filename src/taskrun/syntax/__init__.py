"""Task files as data: read XML, YAML and JSON, merge deltas, check the schema, rewrite into the kernel language.

Each stage is a function from ``Node`` to ``Node`` that knows elements and attributes, but no step classes. This package
imports only ``taskrun.source``, ``taskrun.errors`` and ``taskrun.resources``. Its subpackages: ``delta`` is the extend
stage, ``forms`` is YAML and JSON. Begin with ``node.py``, then read ``load.py``, ``delta/extend.py``, ``validate.py``
and ``normalize.py``, in the order of the stages.
"""
