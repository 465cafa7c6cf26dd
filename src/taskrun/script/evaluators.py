"""The evaluators, by name: how a program, at its place in a file, becomes a function of a scope.

Rules: both are imported when the first script runs. They differ in speed and in how much of the language they have,
not in what a script may do: guards, table of names and limits are the same.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from taskrun.script.problems import UNSUPPORTED, Problem, ProblemsError
from taskrun.script.program import Program
from taskrun.script.scope import Names
from taskrun.script.script_source import Part

if TYPE_CHECKING:
    from taskrun.script.limits import Limits

Evaluator = Callable[[Program, Part, Mapping[str, Any], "Limits"], Callable[[Names], Any]]


def _compiled(program: Program, part: Part, table: Mapping[str, Any], limits: Limits) -> Callable[[Names], Any]:
    from taskrun.script.compiler.function import native_function

    return native_function(program, part, table, limits)


def _asteval(program: Program, part: Part, table: Mapping[str, Any], limits: Limits) -> Callable[[Names], Any]:
    from taskrun.script.asteval.evaluator import evaluate
    from taskrun.script.asteval.lower import lower

    code = program.made(lower)

    def run(scope: Names) -> Any:
        return evaluate(code, scope, table, limits, lambda node: part.place(program.index(node)))

    return run


def check_walked(program: Program, language: str) -> None:
    """Raise ProblemsError for what the evaluator ``asteval`` does not have."""
    if language != "python":
        message = f"the evaluator 'asteval' has no {language}"
        raise ProblemsError([Problem(0, UNSUPPORTED, message, "use the evaluator 'compiled', or write Python")])
    for statement in program.parsed.body:
        for node in ast.walk(statement):
            if isinstance(node, _COMPILED_ONLY):
                message = f"the evaluator 'asteval' has no '{type(node).__name__.lower()}'"
                hint = "use the evaluator 'compiled'"
                raise ProblemsError([Problem(program.index(node), UNSUPPORTED, message, hint)])


_COMPILED_ONLY = (ast.Await, ast.Match)
EVALUATORS: Mapping[str, Evaluator] = MappingProxyType({"compiled": _compiled, "asteval": _asteval})
