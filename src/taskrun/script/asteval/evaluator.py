"""Evaluation of a script with the handlers of this package and four handlers of the class ``asteval.Interpreter``.

Rules: of the package asteval, only the methods for constants, subscripts, unary operators and conditional expressions
are used, because they behave exactly like Python. They are called with an Activation as ``self`` and use nothing of it
but ``run``. The interpreter's symbol table, printing and error handling are not used. An AST node without a handler
cannot be evaluated.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import asteval

from taskrun.script.asteval.activation import Activation, NodeHandlers, ReturnSignal
from taskrun.script.asteval.expressions import EXPRESSION_HANDLERS
from taskrun.script.asteval.failures import LocationText, explain
from taskrun.script.asteval.functions import FUNCTION_HANDLERS
from taskrun.script.asteval.lower import LoweredCode
from taskrun.script.asteval.statements import STATEMENT_HANDLERS
from taskrun.script.limits import Limits
from taskrun.script.sandbox.budget import Budget
from taskrun.script.scope import Names

HANDLERS: NodeHandlers = MappingProxyType(
    {
        ast.Constant: asteval.Interpreter.on_constant,
        ast.Subscript: asteval.Interpreter.on_subscript,
        ast.UnaryOp: asteval.Interpreter.on_unaryop,
        ast.IfExp: asteval.Interpreter.on_ifexp,
        **EXPRESSION_HANDLERS,
        **FUNCTION_HANDLERS,
        **STATEMENT_HANDLERS,
    }
)
"""The handlers of all AST nodes of a script after lowering."""


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
    activation = Activation(HANDLERS, scope, namespace, budget, {})
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
