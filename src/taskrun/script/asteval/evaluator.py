"""Evaluation of a lowered script by an interpreter that is derived from that of the package asteval.

Rules: only the handlers of asteval that behave exactly like Python are used (constants, subscripts, unary operators,
conditional expressions); all others are overridden. Its symbol table, printing and error handling are not used, and a
node without a handler here cannot be evaluated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import asteval

from taskrun.script.asteval.activation import ReturnSignal
from taskrun.script.asteval.expressions import ExpressionHandlers
from taskrun.script.asteval.failures import LocationText, explain
from taskrun.script.asteval.functions import FunctionHandlers
from taskrun.script.asteval.lower import LoweredCode
from taskrun.script.limits import Limits
from taskrun.script.sandbox.budget import Budget
from taskrun.script.scope import Names

if TYPE_CHECKING:

    class AstevalInterpreter:
        """Declaration of ``asteval.Interpreter`` for type checkers, because the package asteval has no type hints."""

else:
    AstevalInterpreter = asteval.Interpreter


class Interpreter(FunctionHandlers, ExpressionHandlers, AstevalInterpreter):
    """Activation that can evaluate every AST node: combines all handlers of this package with those of asteval."""


def evaluate(
    code: LoweredCode, scope: Names, namespace: Mapping[str, Any], limits: Limits, location_text: LocationText
) -> Any:
    """Return the value of a script: of its ``return``, else of its last executed expression statement, else None.

    Parameters: ``code`` is the script after ``lower``, ``namespace`` are the names that it can read besides variables,
    ``location_text`` returns the location of an AST node in its file. Raises any exception of the script, with a note
    of the location, and ScriptBudgetError when it exceeds ``limits``.
    """
    budget = Budget(limits)
    budget.begin()
    activation = Interpreter(scope, namespace, budget)
    try:
        if code.expression is not None:
            return activation.run(code.expression)
        signal = activation.run_block(code.body)
        return signal.value if isinstance(signal, ReturnSignal) else activation.value
    except Exception as error:
        explain(error, budget, location_text)
        raise
    finally:
        budget.end()
