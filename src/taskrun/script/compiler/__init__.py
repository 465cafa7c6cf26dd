"""The evaluator ``compiled``, the default: converts a checked syntax tree into one native Python function.

The emitters (``emitter``, ``expressions``, ``statements``, ``functions``, ``matching``) replace every operation that
could do harm by a call of a guarded one in ``operations``; ``compile`` makes the code, ``function`` binds it to a file.
May import: ``script.sandbox``, modules at the root of ``script`` and, in a function, ``script.xscript.operations``.
Imported when the first script runs. Begin reading with ``compile``, whose docstring shows an example.
"""
