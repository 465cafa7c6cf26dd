"""Text templates in Jinja2 syntax that are sandboxed like scripts.

These modules import jinja2; ``script.text_template`` therefore imports them when the first template is compiled. They
may import the modules of ``script`` and ``script.sandbox``. Begin with ``evaluation.py`` (compile and evaluate a
template), then ``checks.py`` (find problems, insert calls that charge the budget), ``environment.py`` (the run-time
sandbox), ``filters.py`` and ``table.py`` (the names that templates can read).
"""
