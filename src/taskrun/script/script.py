"""The one door to scripts.

Rules: everything outside this package compiles scripts here and runs them through ``Script.run``; what evaluates them
is not to be seen. A script is compiled once and may be run any number of times, in several tasks and threads at once,
and from within another script. Nothing of one evaluation is there in the next but what it assigned to its scope.
"""

from __future__ import annotations

from taskrun.script.bind import LANGUAGES as DIALECTS
from taskrun.script.bind import Script, bind, check_language, source_of
from taskrun.script.limits import Limits, ScriptBudgetError
from taskrun.script.scope import Names, UnknownVariableError
from taskrun.script.script_source import Part
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
    """Return the script in an element's text, or in one of its attributes.

    Parameters: ``expression`` asks for exactly one expression instead of a program; ``awaits`` permits ``await``, whose
    script then returns an awaitable; ``settings`` hold the limits,
    further names and the cache. Raises BindError with every problem, each at its character in the file:
    ``script-syntax``, ``script-unsupported`` (a construct that scripts do not have), ``script-forbidden`` (a name or
    attribute that they may not use), ``unsupported-language``.
    """
    check_language(node, attribute, language)
    part = Part(node, attribute, source_of(node, attribute))
    return bind(part, settings or ScriptSettings(), language=language, expression=expression, awaits=awaits)
