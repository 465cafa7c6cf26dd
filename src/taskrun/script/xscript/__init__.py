"""XScript, the dialect of scripts that resembles JavaScript: its lexer, parser, translator and run-time operations.

``lexer`` splits a text into tokens. ``parse`` makes a syntax tree of them by the grammar in ``grammar.lark``.
``translate`` turns that into a Python syntax tree, from which the compiled evaluator makes a native function. It passes
two tables of node handlers to the ``Translator``, which has the state of the translation: the table of ``expressions``
(with ``chains`` and ``functions``) and that of ``statements`` (with ``assignments`` and ``switch``). At run time the
native function calls ``operations`` and ``members``, and reads ``names``. May import: ``script.sandbox`` and modules at
the root of ``script``, but no evaluator. Imported when the first XScript is compiled. Begin reading with
``translate.translate_xscript``.
"""
