"""Guarded operations that compiled scripts call; they are the globals of the native functions.

Rules: the variables of a script are never looked up in these globals. Each operation behaves like Python's own, except
that it raises an error for operands that the sandbox refuses.
"""

from __future__ import annotations

import ast
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from itertools import compress
from typing import Any, cast

from taskrun.script.compiler.match_operations import match_class, match_mapping, match_sequence
from taskrun.script.exception_types import catchable_types, raisable
from taskrun.script.limits import Limits, ScriptBudgetError
from taskrun.script.sandbox.bounded_operators import BINARY, IN_PLACE, SliceTarget, checked_sequence
from taskrun.script.sandbox.bounded_text import bounded_format, bounded_join, checked_printable
from taskrun.script.sandbox.budget import Budget, PausedClock, container, ticked
from taskrun.script.sandbox.guard import PLAIN, guarded_getattr, guarded_result
from taskrun.script.sandbox.metered_types import metered_callable
from taskrun.script.scope import Names

MODULE = "<script>"
_MISSING = object()


def _begin_budget(limits: Limits) -> Budget:
    """Return a new budget for an evaluation, and make it the current one, which the called functions share."""
    budget = Budget(limits)
    budget.begin()
    return budget


def _variable_or_name(scope: Names, namespace: Mapping[str, Any], name: str) -> Any:
    """Return a variable of the scope or, if there is none of that name, the value of the name in the namespace."""
    found = scope.find(name, _MISSING)
    return namespace[name] if found is _MISSING else found


def _variable_or_none(scope: Names, name: str) -> Any:
    """Return a variable of the scope, or None if the variable does not exist."""
    return scope.find(name, None)


def _assign_variable(scope: Names, name: str, value: Any) -> Any:
    """Set a variable of the scope and return the value; scripts call it for ``name := value``."""
    scope[name] = value
    return value


def _delete_variable(scope: Names, name: str) -> None:
    """Delete a variable of the scope for the statement ``del name``; raise NameError if it does not exist."""
    if scope.pop(name, _MISSING) is _MISSING:
        raise NameError(f"'{name}' is not a variable of this step, so it cannot be deleted")


def _discard_variable(scope: Names, name: str) -> None:
    """Delete the exception variable of an ``except`` clause from the scope, if the script has not deleted it itself."""
    scope.pop(name, None)


def _checked_result(value: Any, function_name: str) -> Any:
    """Return the result of a call, or raise TypeError if a script must not receive it, such as a module."""
    return value if value.__class__ in PLAIN else guarded_result(value, function_name)


async def _awaited(budget: Budget, value: Any, shown: str) -> Any:
    """Await ``value`` for ``await f()`` in a script and return the result; the time of the budget is paused meanwhile.

    Parameters: ``value`` is what the called Python function returned, ``shown`` the name of that function for the
    message. Raises TypeError if the value cannot be awaited.
    """
    if not hasattr(type(value), "__await__"):
        raise TypeError(f"'{shown}' cannot be awaited: it returns {type(value).__name__}; remove 'await'")
    with PausedClock(budget):
        return await cast("Awaitable[Any]", value)


def _metered_lambda(budget: Budget, function: Callable[[], Any]) -> Any:
    """Execute a lambda of a script: consume one tick, then evaluate its expression and return the value.

    ``function`` evaluates the expression. If the evaluation that created the lambda has ended, the budget is renewed
    for this call.
    """
    if not budget.ended:
        budget.tick()
        return function()
    budget.renew()
    try:
        return function()
    finally:
        budget.end()


def _unchanged(value: Any) -> Any:
    """Return ``value``.

    A script reads ``"abc"[5]`` as ``_unchanged("abc")[5]``: the call hides the literal from Python's compiler, which
    would emit a SyntaxWarning.
    """
    return value


def _sliced(container: Any) -> Any:
    """Return the target of a slice assignment, such as ``x`` in ``x[1:3] = y``.

    A list or bytearray is put into a SliceTarget, which checks the new size before it assigns.
    """
    return SliceTarget(container) if isinstance(container, (list, bytearray)) else container


@cache
def operations(lenient: bool) -> dict[str, Any]:
    """Return the globals of the native functions of all Python scripts or, if ``lenient``, of all XScripts.

    They map names such as ``_add`` to guarded operations. The dict is shared by all scripts; nothing writes to it.
    """
    if lenient:
        from taskrun.script.xscript.operations import OPERATIONS

        return operations(False) | {"_x_" + name: function for name, function in OPERATIONS.items()}
    in_place = {f"_in_place_{kind.__name__}": function for kind, function in IN_PLACE.items()}
    return in_place | {
        "__builtins__": {},
        "__name__": MODULE,
        "AssertionError": AssertionError,
        "Exception": Exception,
        "float": float,
        "int": int,
        "type": type,
        "_PLAIN": PLAIN,
        "_Uncatchable": ScriptBudgetError,
        "_add": BINARY[ast.Add],
        "_assign_variable": _assign_variable,
        "_attribute": guarded_getattr,
        "_awaited": _awaited,
        "_begin_budget": _begin_budget,
        "_catchable_types": catchable_types,
        "_checked_result": _checked_result,
        "_compress": compress,
        "_container": container,
        "_delete_variable": _delete_variable,
        "_discard_variable": _discard_variable,
        "_formatted": bounded_format,
        "_joined": bounded_join,
        "_map": map,
        "_match_class": match_class,
        "_match_mapping": match_mapping,
        "_match_sequence": match_sequence,
        "_measured": checked_sequence,
        "_metered_callee": metered_callable,
        "_metered_lambda": _metered_lambda,
        "_modulo": BINARY[ast.Mod],
        "_multiply": BINARY[ast.Mult],
        "_power": BINARY[ast.Pow],
        "_raisable": raisable,
        "_shift": BINARY[ast.LShift],
        "_showable": checked_printable,
        "_sliced": _sliced,
        "_ticked": ticked,
        "_unchanged": _unchanged,
        "_variable_or_name": _variable_or_name,
        "_variable_or_none": _variable_or_none,
    }
