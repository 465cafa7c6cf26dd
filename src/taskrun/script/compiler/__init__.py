"""The evaluator ``compiled``, the default: turns a script into one native function, which Python executes itself.

It starts from the syntax tree that the checks of the sandbox have accepted. The class Emitter and the node handlers
(``emitter``, ``expressions``, ``statements``, ``functions``, ``matching``, with ``targets`` for what several of them
assign) replace each operation that could do harm by a call of a function in ``operations``, which checks it at run
time. ``compile`` makes the native function, with the file path and lines of the script. May import: ``script.sandbox``,
modules at the root of ``script`` and, in a function, ``script.xscript.operations``. Imported when the first script
runs. Begin reading with ``compile``, whose docstring shows an example.
"""
