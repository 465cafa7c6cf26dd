"""Public interface of the package: compile scripts and ``${…}`` templates.

Rules: other packages compile scripts with ``compile_script`` and run them with ``Script.run``; the evaluator is not
visible to them. A script is compiled once. It may be run any number of times, in several tasks and threads at once, and
also by another script that calls it. An evaluation leaves nothing for the next one except the variables that it
assigned.
"""

from __future__ import annotations

from taskrun.script.compiled_script import DIALECTS, EVALUATORS, Script, compile_script
from taskrun.script.limits import Limits, ScriptBudgetError
from taskrun.script.scope import Names, UnknownVariableError
from taskrun.script.settings import ScriptSettings
from taskrun.script.template import Template, compile_template

__all__ = [
    "DIALECTS",
    "EVALUATORS",
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
