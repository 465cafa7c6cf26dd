"""Sandbox of scripts and text templates: static checks, run-time guards, size limits and budgets.

Before a script runs: ``checks`` (allowed syntax) and ``misplaced_statements`` (such as ``break`` outside a loop). While
it runs: ``guard`` (attributes and results of calls), ``bounded_operators`` and ``bounded_text`` (sizes of results),
``budget`` (time and ticks), ``metered_builtins`` and ``metered_types`` (functions that consume iterables) and
``safe_regex`` (regular expressions). These modules may import each other and ``limits``, ``problems`` and ``variables``
of the package ``script``. Begin with ``checks.py``, ``guard.py`` and ``budget.py``.
"""
