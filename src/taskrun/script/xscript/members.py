"""Tables of the methods and properties of XScript values, with the names that JavaScript and Java use.

Rules: a method is a Python function of the value and the arguments, a property one of the value alone:
``METHODS["text"]["trim"](value)``. Members that grow a value check its size. Members that iterate consume a tick for
each item. Scripts cannot call other methods of plain values such as texts and lists. All other attributes pass the
guard.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from taskrun.script.xscript.collection_methods import LIST, MAP, SET
from taskrun.script.xscript.string_methods import TEXT
from taskrun.script.xscript.values import NUMBERS, MapEntry, NopScriptError, equal, text

Members = Mapping[str, Callable[..., Any]]
REFUSED_MEMBERS = frozenset({"constructor", "prototype", "caller", "callee"})


def _fixed(value: Any, digits: int = 0) -> str:
    if not 0 <= digits <= 100:  # noqa: PLR2004 - as in JavaScript
        raise ValueError(f"toFixed takes 0 to 100 digits, not {digits}")
    return f"{value:.{digits}f}"


def _message(error: BaseException) -> str:
    return str(error)


def _code(error: BaseException) -> str:
    """Return the error code of a NopScriptError; for any other exception, or an empty code, the name of its class."""
    return str(getattr(error, "error_code", None) or type(error).__name__)


def _params(error: BaseException) -> dict[str, Any]:
    return dict(getattr(error, "params", None) or {})


def _plus(**unit: int) -> Callable[..., Any]:
    """Return the method that adds a number of units to a date; ``_plus(days=-1)`` is ``minusDays``."""
    (name, sign), *_ = unit.items()  # exactly one, such as days=-1
    return lambda value, count: value + dt.timedelta(**{name: sign * count})


NUMBER: Members = MappingProxyType(
    {
        "toString": text, "toFixed": _fixed, "intValue": int, "longValue": int, "doubleValue": float, "equals": equal,
        "$toInt": int, "$toLong": int, "$toDouble": float, "$toString": text,
        "compareTo": lambda value, other: (value > other) - (value < other),
    }
)  # fmt: skip
DATE: Members = MappingProxyType(
    {
        "toString": lambda value: value.isoformat(), "getYear": lambda value: value.year,
        "getMonthValue": lambda value: value.month, "getDayOfMonth": lambda value: value.day,
        "getFullYear": lambda value: value.year, "getMonth": lambda value: value.month - 1,
        "getDate": lambda value: value.day, "getTime": lambda value: int(value.timestamp() * 1000),
        "plusDays": _plus(days=1), "minusDays": _plus(days=-1), "plusHours": _plus(hours=1),
        "minusHours": _plus(hours=-1), "isBefore": lambda value, other: value < other,
        "isAfter": lambda value, other: value > other, "equals": equal,
        "toLocalDate": lambda value: value.date() if isinstance(value, dt.datetime) else value,
    }
)  # fmt: skip
ERROR: Members = MappingProxyType(
    {"getMessage": _message, "getErrorCode": _code, "getParams": _params, "toString": text}
)
ENTRY: Members = MappingProxyType({"getKey": lambda entry: entry.key, "getValue": lambda entry: entry.value})
THROWN: Members = MappingProxyType({"param": NopScriptError.param})

METHODS: Mapping[str, Members] = MappingProxyType(
    {
        "text": TEXT, "list": LIST, "map": MAP, "set": SET, "number": NUMBER, "date": DATE, "error": ERROR,
        "entry": ENTRY, "thrown": THROWN,
        "boolean": MappingProxyType({"toString": text, "equals": equal, "$toString": text}),
    }
)  # fmt: skip
PROPERTIES: Mapping[str, Members] = MappingProxyType(
    {
        "text": MappingProxyType({"length": len}),
        "list": MappingProxyType({"length": len}),
        "set": MappingProxyType({"size": len}),
        "map": MappingProxyType({}),
        "number": MappingProxyType({}),
        "boolean": MappingProxyType({}),
        "date": MappingProxyType(
            {name: (lambda value, name=name: getattr(value, name)) for name in ("year", "month", "day")}
        ),
        "error": MappingProxyType({"message": _message, "errorCode": _code, "params": _params}),
        "thrown": MappingProxyType({}),
        "entry": MappingProxyType({"key": lambda entry: entry.key, "value": lambda entry: entry.value}),
    }
)


_KINDS: tuple[tuple[tuple[type, ...], tuple[str, ...]], ...] = (
    ((str,), ("text",)),
    ((MapEntry,), ("entry", "list")),
    ((list, tuple), ("list",)),
    ((dict,), ("map",)),
    ((bool,), ("boolean",)),
    (NUMBERS, ("number",)),
    ((set, frozenset), ("set",)),
    ((dt.date,), ("date",)),
    ((NopScriptError,), ("thrown", "error")),
    ((BaseException,), ("error",)),
)


def kinds_of(value: Any) -> tuple[str, ...]:
    """Return the names of the tables in METHODS and PROPERTIES that have the members of a value.

    They are in the order of lookup. A list gives ``("list",)``, an entry of a map ``("entry", "list")``. An object of
    another Python type gives ``()``: its attributes are read through the guard.
    """
    return next((names for types, names in _KINDS if isinstance(value, types)), ())
