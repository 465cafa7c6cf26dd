"""Public interface of the package: compile scripts and ``${…}`` templates.

Rules: other packages compile scripts with ``compile_script`` and run them with ``Script.run``; the evaluator is not
visible to them. A script is compiled once. It may be run any number of times, in several tasks and threads at once, and
also by another script that calls it. An evaluation leaves nothing for the next one except the variables that it
assigned.
"""

from __future__ import annotations

from taskrun.script.compiled_script import DIALECTS, Script, check_language, compile_source
from taskrun.script.limits import Limits, ScriptBudgetError
from taskrun.script.scope import Names, UnknownVariableError
from taskrun.script.script_source import ScriptSource
from taskrun.script.settings import ScriptSettings
from taskrun.script.template import Template, compile_template
from taskrun.syntax.node import Node

__all__ = [
    "DIALECTS",
    "Limits",
    "Names",
    "Script",
    "ScriptBudgetError",
    "ScriptSettings",
    "Template",
    "UnknownVariableError",
    "compile_script",
    "compile_template",
]


def compile_script(
    node: Node,
    attribute: str | None = None,
    *,
    language: str = "python",
    expression: bool = False,
    awaits: bool = False,
    settings: ScriptSettings | None = None,
) -> Script:
    """Compile the script in the text of an element, or in one of its attributes, and return it.

    Args:
        node: The element.
        attribute: The attribute that contains the script, or None for the text of the element.
        language: The dialect, one of ``DIALECTS``.
        expression: Whether the script must be exactly one expression.
        awaits: Whether the script may contain ``await``. If it does, ``Script.run`` returns an awaitable.
        settings: Limits, additional names, evaluator and cache; None means the defaults.

    Raises:
        BindError: Contains all problems, each at its character in the file: ``script-syntax``, ``script-unsupported``
            (a construct that scripts do not support), ``script-forbidden`` (a name or attribute that scripts may not
            use), ``unsupported-language``.
    """
    check_language(node, attribute, language)
    return compile_source(
        ScriptSource.of(node, attribute),
        settings or ScriptSettings(),
        language=language,
        expression=expression,
        awaits=awaits,
    )
