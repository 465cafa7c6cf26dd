"""Table of the evaluators: each turns a checked script into a Python function that executes the script in a scope.

Rules: the module of an evaluator is imported when the first script runs with it. The evaluators differ in speed and in
the supported subset of the language, not in security: guards, namespace and limits are the same.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from taskrun.script.problems import UNSUPPORTED, Problem, ProblemsError
from taskrun.script.program import ScriptProgram
from taskrun.script.scope import Names
from taskrun.script.script_source import ScriptSource

if TYPE_CHECKING:
    from taskrun.script.limits import Limits

Evaluator = Callable[[ScriptProgram, ScriptSource, Mapping[str, Any], "Limits"], Callable[[Names], Any]]


def _compiled(
    program: ScriptProgram, source: ScriptSource, namespace: Mapping[str, Any], limits: Limits
) -> Callable[[Names], Any]:
    """Evaluator ``compiled``: return a native Python function that executes the script in a scope."""
    from taskrun.script.compiler.function import native_function

    return native_function(program, source, namespace, limits)


def _asteval(
    program: ScriptProgram, source: ScriptSource, namespace: Mapping[str, Any], limits: Limits
) -> Callable[[Names], Any]:
    """Evaluator ``asteval``: return a function that interprets the syntax tree of the script in a scope."""
    from taskrun.script.asteval.evaluator import evaluate
    from taskrun.script.asteval.lower import lower

    code = program.compile_once(lower)

    def run(scope: Names) -> Any:
        return evaluate(code, scope, namespace, limits, lambda node: source.place(program.index(node)))

    return run


def check_asteval_support(program: ScriptProgram, language: str) -> None:
    """Raise ProblemsError if the script uses a dialect or construct that the evaluator ``asteval`` does not support."""
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
