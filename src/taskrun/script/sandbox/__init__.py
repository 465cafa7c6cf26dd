"""Sandbox of scripts and text templates: static checks, run-time guards, size limits and budgets.

Static: ``checks`` (allowed syntax), ``misplaced_statements``. Run time: ``guard`` (attributes and results of calls),
``bounded_operators`` and ``bounded_text`` (sizes of results), ``budget`` (time and steps), ``metered_builtins`` and
``metered_types`` (functions that consume iterables), ``safe_regex``. These modules may import each other and
``limits``, ``problems`` and ``variables`` of the package ``script``. Begin with ``checks.py``, ``guard.py`` and
``budget.py``.
"""
