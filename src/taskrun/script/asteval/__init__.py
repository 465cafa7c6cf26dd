"""The evaluator ``asteval``: walks the syntax tree of a script, with the guards and limits of the compiled evaluator.

It is the second evaluator and the reference of the differential tests: both must return the same values. ``lower``
prepares the tree; ``activation`` dispatches nodes to the handlers in ``expressions``, ``statements`` and ``functions``.
May import: the package asteval, ``script.sandbox`` and modules at the root of ``script``, but not the compiler.
Imported when the first script runs with this evaluator. Begin reading with ``evaluator.evaluate``.
"""
