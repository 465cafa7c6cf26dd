"""Scripts, ``${…}`` templates and text templates of flow files: checks, compilation and sandboxed evaluation.

Other packages import ``script.script`` and ``script.text_template``; ``taskrun.templates`` also uses the modules below.
This package may import ``source``, ``errors``, ``plugins`` and ``syntax.node``. Begin with ``script.py`` (the public
functions), then ``compiled_script.py`` (from a text to a Script), ``program.py`` (parse and check) and
``variables.py`` (which variables a script reads and assigns). The subpackages are:

compiler: the evaluator ``compiled`` (default), which compiles a checked syntax tree into a native Python function.
asteval: the evaluator ``asteval``, which interprets the checked syntax tree node by node.
xscript: the dialect XScript: lexer, parser, translation into a Python syntax tree, operations and methods of values.
sandbox: the checks, guards, size limits and budgets that both evaluators and text templates use.
jinja: text templates in Jinja2 syntax under the same sandbox.
"""
