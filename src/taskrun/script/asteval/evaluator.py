"""The evaluator of Python scripts: asteval, hardened. Imported when the first script runs.

Rules: of asteval's interpreter only handlers that are exactly Python are kept (constants, subscripts, unary operators,
conditional expressions); everything else is overridden. No table of names, no printing, no error handling of
asteval's takes part, and what has no handler here cannot be reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import asteval

from taskrun.script.asteval.activation import ReturnSignal
from taskrun.script.asteval.expressions import ExpressionHandlers
from taskrun.script.asteval.failures import LocationText, explain
from taskrun.script.asteval.functions import FunctionHandlers
from taskrun.script.asteval.lower import LoweredCode
from taskrun.script.limits import Limits
from taskrun.script.sandbox.budget import Budget
from taskrun.script.scope import Names


class Interpreter(FunctionHandlers, ExpressionHandlers, asteval.Interpreter):  # type: ignore[misc] # asteval has no types
    """An activation whose handlers are complete."""


def evaluate(
    code: LoweredCode, scope: Names, namespace: Mapping[str, Any], limits: Limits, location_text: LocationText
) -> Any:
    """Return the value of a program: of its ``return``, else of the expression statement that ran last, else None.

    Parameters: ``functions`` is the table of names, ``place`` says where a node stands in its file.
    Raises what the script raises, with a note, and ScriptBudgetError when it uses more than ``limits`` allow.
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
