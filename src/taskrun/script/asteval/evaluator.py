"""The evaluator of Python scripts: asteval, hardened. Imported when the first script runs.

Rules: of asteval's interpreter only handlers that are exactly Python are kept (constants, subscripts, unary operators,
conditional expressions); everything else is overridden. No table of names, no printing, no error handling of
asteval's takes part, and what has no handler here cannot be reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import asteval

from taskrun.script.asteval.expressions import Expressions
from taskrun.script.asteval.failures import Place, explain
from taskrun.script.asteval.lower import Code
from taskrun.script.asteval.machine import Returned
from taskrun.script.asteval.routines import Routines
from taskrun.script.limits import Limits
from taskrun.script.sandbox.budget import Budget
from taskrun.script.scope import Names


class Evaluator(Routines, Expressions, asteval.Interpreter):  # type: ignore[misc] # asteval has no types
    """An activation whose handlers are complete."""


def evaluate(code: Code, scope: Names, functions: Mapping[str, Any], limits: Limits, place: Place) -> Any:
    """Return the value of a program: of its ``return``, else of the expression statement that ran last, else None.

    Parameters: ``functions`` is the table of names, ``place`` says where a node stands in its file.
    Raises what the script raises, with a note, and ScriptBudgetError when it uses more than ``limits`` allow.
    """
    budget = Budget(limits)
    budget.begin()
    machine = Evaluator(scope, functions, budget)
    try:
        if code.expression is not None:
            return machine.run(code.expression)
        signal = machine.block(code.body)
        return signal.value if isinstance(signal, Returned) else machine.value
    except Exception as error:
        explain(error, budget, place)
        raise
    finally:
        budget.end()
