"""XScript, the dialect of scripts that resembles JavaScript: its lexer, parser, translator and run-time operations.

``lexer`` splits a text into tokens. ``parse`` makes a syntax tree of them by the grammar in ``grammar.lark``.
``translate`` turns that into a Python syntax tree, from which the compiled evaluator makes a native function. At run
time the native function calls ``operations`` and ``members``, and reads ``names``. May import: ``script.sandbox`` and
modules at the root of ``script``, but no evaluator. Imported when the first XScript is compiled. Begin reading with
``translate.translate_xscript``.
"""
