"""The evaluator ``asteval``: walks the syntax tree of a script, with the guards and limits of the compiled evaluator.

It is the second evaluator. Differential tests run scripts in both evaluators and require the same values. ``lower``
prepares the tree. An ``activation`` calls the handler of each AST node, a function ``on_<node>``. ``expressions``,
``statements`` and ``functions`` each export a table of node handlers; ``evaluator`` joins these tables and adds four
methods of the class ``asteval.Interpreter``. ``targets`` assigns and deletes variables and items. May import: the
package asteval, ``script.sandbox`` and modules at the root of ``script``, but not the compiler. Imported when the first
script runs with this evaluator. Begin reading with ``evaluator.evaluate``.
"""
