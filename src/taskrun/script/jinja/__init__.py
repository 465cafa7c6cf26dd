"""Text templates in Jinja2 syntax that are sandboxed like scripts.

These modules import jinja2; ``script.text_template`` therefore imports them when the first template is compiled. They
may import the modules of ``script`` and ``script.sandbox``. Begin with ``evaluation.py`` (compile and evaluate a
template), then ``checks.py`` (problems and instrumentation of the syntax tree), ``environment.py`` (the run-time
sandbox), ``filters.py`` and ``table.py`` (the namespace).
"""
