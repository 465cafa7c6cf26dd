"""Evaluation of a lowered program with asteval's interpreter, hardened.

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
        """Typed substitute for the interpreter of asteval, which has no type annotations."""

else:
    AstevalInterpreter = asteval.Interpreter


class Interpreter(FunctionHandlers, ExpressionHandlers, AstevalInterpreter):
    """Activation with the handlers of all nodes: those of this package and those of asteval."""


def evaluate(
    code: LoweredCode, scope: Names, namespace: Mapping[str, Any], limits: Limits, location_text: LocationText
) -> Any:
    """Return the value of a program: of its ``return``, else of its last executed expression statement, else None.

    Parameters: ``namespace`` are the names that the script can read besides variables, ``location_text`` returns the
    location of a node in its file. Raises any exception of the script, with a note of the location, and
    ScriptBudgetError when it exceeds ``limits``.
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
