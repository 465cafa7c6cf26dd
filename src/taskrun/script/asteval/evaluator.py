"""Evaluation of a script by an interpreter that is derived from the class ``asteval.Interpreter``.

Rules: of the package asteval, only the methods for constants, subscripts, unary operators and conditional expressions
are used, because they behave exactly like Python. All others are overridden. Its symbol table, printing and error
handling are not used. An AST node without a method cannot be evaluated.
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
    """Activation that can evaluate every AST node: it combines the methods of this package and of asteval."""


def evaluate(
    code: LoweredCode, scope: Names, namespace: Mapping[str, Any], limits: Limits, location_text: LocationText
) -> Any:
    """Evaluate a script and return its value: that of its ``return``, else of its last executed expression statement.

    The value is None if neither was executed. Parameters: ``code`` is the script after ``lower``, ``namespace``
    contains the names that it can read besides variables, ``location_text`` returns the location of an AST node in its
    file, for messages. Any exception of the script is raised, with a note of its location. Raises ScriptBudgetError if
    the script exceeds ``limits``.
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
