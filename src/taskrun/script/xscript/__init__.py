"""XScript, the dialect of scripts that resembles JavaScript: its lexer, parser, translator and run-time operations.

A text is tokenized (``lexer``), parsed by the grammar in ``grammar.lark`` (``parse``) and translated to a Python syntax
tree (``translate``), which the compiled evaluator turns into a native function. That function calls ``operations``,
``members`` and ``names`` at run time. May import: ``script.sandbox`` and modules at the root of ``script``, but neither
evaluator. Imported when the first XScript is compiled. Begin reading with ``translate.translate_xscript``.
"""
