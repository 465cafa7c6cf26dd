"""The evaluators, by name: how a program, at its place in a file, becomes a function of a scope.

Rules: both are imported when the first script runs. They differ in speed and in how much of the language they have,
not in what a script may do: guards, table of names and limits are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from taskrun.script.part import Part
from taskrun.script.program import Program
from taskrun.script.scope import Names

if TYPE_CHECKING:
    from taskrun.script.settings import ScriptSettings

Evaluator = Callable[[Program, Part, "ScriptSettings"], Callable[[Names], Any]]


def _compiled(program: Program, part: Part, settings: ScriptSettings) -> Callable[[Names], Any]:
    from taskrun.script.compiler.function import function_of

    return function_of(program, part, settings.table, settings.limits)


def _asteval(program: Program, part: Part, settings: ScriptSettings) -> Callable[[Names], Any]:
    from taskrun.script.walker.evaluator import evaluate
    from taskrun.script.walker.lower import lower

    code = program.made(lower)
    return partial(_walk, evaluate, code, settings, lambda node: part.place(program.index(node)))


def _walk(evaluate: Any, code: Any, settings: ScriptSettings, place: Any, scope: Names) -> Any:
    return evaluate(code, scope, settings.table, settings.limits, place)


EVALUATORS: Mapping[str, Evaluator] = MappingProxyType({"compiled": _compiled, "asteval": _asteval})
