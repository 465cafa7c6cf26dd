"""Names of the namespace that only XScripts can read: ``$Math``, ``$JSON``, ``$Date``, ``IF``, ``SWITCH`` and more."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from taskrun.script.builtins import JSON, MATH, ScriptModule
from taskrun.script.builtins import NAMES as SHARED
from taskrun.script.xscript.values import text, truth


def _if(test: Any, then: Any, otherwise: Any = None) -> Any:
    """Return ``then`` if ``test`` counts as true in XScript, else ``otherwise``; it is the function ``IF``.

    Unlike an ``if`` statement, a call evaluates both values.
    """
    return then if truth(test) else otherwise


def _switch(value: Any, *cases: Any) -> Any:
    """Return the result of the first case that equals ``value``; it is the function ``SWITCH``.

    ``cases`` are a case, its result, the next case, its result and so on, and perhaps a default result at the end.
    Without a default the result is null.
    """
    for key, found in zip(cases[::2], cases[1::2], strict=False):
        if key == value:
            return found
    return cases[-1] if len(cases) % 2 else None


def _round(number: float) -> int:
    return math.floor(number + 0.5)


def _min(*numbers: Any) -> Any:
    return min(numbers)


def _max(*numbers: Any) -> Any:
    return max(numbers)


_MATH = MappingProxyType(
    {name: getattr(MATH, name) for name in ("floor", "ceil", "sqrt", "pow", "exp", "log", "sin", "cos", "tan")}
)
_TEXTS = MappingProxyType(
    {
        "isEmpty": lambda value: value is None or value == "",
        "isNotEmpty": lambda value: value is not None and value != "",
        "isBlank": lambda value: value is None or not str(value).strip(),
        "trim": lambda value: None if value is None else str(value).strip(),
        "toString": lambda value: None if value is None else text(value),
    }
)
_COLLECTIONS = MappingProxyType(
    {
        "isEmpty": lambda items: not items,
        "size": lambda items: 0 if items is None else len(items),
        "first": lambda items: items[0] if items else None,
        "last": lambda items: items[-1] if items else None,
        "keys": lambda values: list(values or ()),
    }
)
_CALCULATION = ScriptModule("$Math", {**_MATH, "abs": abs, "min": _min, "max": _max, "round": _round, "PI": math.pi})

NAMES: Mapping[str, Any] = MappingProxyType(
    {
        "$Math": _CALCULATION,
        "Math": _CALCULATION,
        "$JSON": ScriptModule("$JSON", {"parse": JSON.loads, "stringify": JSON.dumps}),
        "JSON": ScriptModule("JSON", {"parse": JSON.loads, "stringify": JSON.dumps}),
        "$String": ScriptModule("$String", _TEXTS),
        "$Date": ScriptModule(
            "$Date", {"now": SHARED["now"], "today": SHARED["today"], "parse": dt.datetime.fromisoformat}
        ),
        "_": ScriptModule("_", _COLLECTIONS),
        "currentDate": SHARED["today"],
        "currentDateTime": SHARED["now"],
        "IF": _if,
        "SWITCH": _switch,
        "AND": lambda *values: all(map(truth, values)),
        "OR": lambda *values: any(map(truth, values)),
    }
)
