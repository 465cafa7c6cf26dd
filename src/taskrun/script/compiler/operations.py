"""What compiled scripts call: the guarded operations, as the globals of their functions.

Rules: no name of a script is ever looked up here. Each operation is exactly Python's, but for what it refuses.
"""

from __future__ import annotations

import ast
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import cache
from itertools import compress
from typing import Any, cast

from taskrun.script.compiler.match_support import attributes, items, keys
from taskrun.script.limits import Limits, ScriptBudgetError
from taskrun.script.sandbox.bounded_operators import BINARY, IN_PLACE, SliceTarget, checked_sequence
from taskrun.script.sandbox.bounded_text import bounded_format, bounded_join, checked_printable
from taskrun.script.sandbox.budget import Budget, PausedClock, container, ticked
from taskrun.script.sandbox.guard import PLAIN, guarded_getattr, guarded_result
from taskrun.script.sandbox.metered_types import metered_callable
from taskrun.script.scope import Names

MODULE = "<script>"
_MISSING = object()
_UNCATCHABLE = frozenset({SystemExit, KeyboardInterrupt, GeneratorExit})


def _begin(limits: Limits) -> Budget:
    """Return the budget of an evaluation that begins."""
    budget = Budget(limits)
    budget.begin()
    return budget


def _named(scope: Names, table: Mapping[str, Any], name: str) -> Any:
    """Return a variable, or what the table of names holds."""
    found = scope.find(name, _MISSING)
    return table[name] if found is _MISSING else found


def _variable(scope: Names, name: str) -> Any:
    """Return a variable, or None when there is none."""
    return scope.find(name, None)


def _assign(scope: Names, name: str, value: Any) -> Any:
    scope[name] = value
    return value


def _forget(scope: Names, name: str) -> None:
    if scope.pop(name, _MISSING) is _MISSING:
        raise NameError(f"'{name}' is not a variable of this step, so it cannot be deleted")


def _leave(scope: Names, name: str) -> None:
    scope.pop(name, None)


def _given(value: Any, giver: str) -> Any:
    return value if value.__class__ in PLAIN else guarded_result(value, giver)


async def _awaited(budget: Budget, value: Any, shown: str) -> Any:
    """Wait for a coroutine of the host; the script's clock stands still."""
    if not hasattr(type(value), "__await__"):
        raise TypeError(f"'{shown}' cannot be awaited: it gives {type(value).__name__}; leave out 'await'")
    with PausedClock(budget):
        return await cast("Awaitable[Any]", value)


def _bounded(budget: Budget, function: Callable[[], Any]) -> Any:
    """Call the body of a lambda."""
    if not budget.ended:
        budget.tick()
        return function()
    budget.renew()
    try:
        return function()
    finally:
        budget.end()


def _itself(value: Any) -> Any:
    """Return a literal, where Python would warn that the author cannot mean it."""
    return value


def _sliced(container: Any) -> Any:
    return SliceTarget(container) if isinstance(container, (list, bytearray)) else container


def _raised(error: Any) -> Any:
    """Return an exception that a script may raise."""
    kind = error if isinstance(error, type) else type(error)
    if issubclass(kind, BaseException) and not issubclass(kind, Exception):
        raise TypeError(f"a script cannot raise {kind.__name__}, only ordinary exceptions")
    return error


def _kinds(kinds: Any) -> tuple[type[Exception], ...]:
    """Return the exception types of a handler that can be caught."""
    listed: Iterable[Any] = kinds if isinstance(kinds, tuple) else (kinds,)
    for kind in listed:
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise TypeError("catching classes that do not inherit from Exception is not allowed")
    return tuple(Exception if kind is BaseException else kind for kind in listed if kind not in _UNCATCHABLE)


@cache
def operations(lenient: bool) -> dict[str, Any]:
    """Return the globals of all compiled scripts of Python, or of XScript; nothing writes to them."""
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
        "_assign": _assign,
        "_attribute": guarded_getattr,
        "_attributes": attributes,
        "_awaited": _awaited,
        "_begin": _begin,
        "_bounded": _bounded,
        "_callee": metered_callable,
        "_compress": compress,
        "_container": container,
        "_forget": _forget,
        "_formatted": bounded_format,
        "_given": _given,
        "_items": items,
        "_itself": _itself,
        "_joined": bounded_join,
        "_keys": keys,
        "_kinds": _kinds,
        "_leave": _leave,
        "_map": map,
        "_measured": checked_sequence,
        "_modulo": BINARY[ast.Mod],
        "_multiply": BINARY[ast.Mult],
        "_named": _named,
        "_own_add": IN_PLACE[ast.Add],
        "_own_multiply": IN_PLACE[ast.Mult],
        "_showable": checked_printable,
        "_power": BINARY[ast.Pow],
        "_raised": _raised,
        "_shift": BINARY[ast.LShift],
        "_sliced": _sliced,
        "_ticked": ticked,
        "_variable": _variable,
    }
