"""What a script really calls when it calls a type.

Rules: types stay types, so that ``isinstance`` and ``except`` can name them. One that goes through its arguments gets
them through the budget; ``str``, ``int`` and ``Decimal`` look first how long the result would be.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from taskrun.script.sandbox.bounded_text import reasonable, shown
from taskrun.script.sandbox.budget import ticked

_CONSUMING: frozenset[type] = frozenset({list, tuple, set, frozenset, dict, bytes, bytearray})


def consuming(function: Any) -> Any:
    """Return the function that is called in place of ``function``: itself for most."""
    if function is str:
        return _text
    if function is int:
        return _integer
    if function is Decimal:
        return _decimal
    if type(function) is not type or function not in _CONSUMING:
        return function

    def consume(*arguments: Any, **keywords: Any) -> Any:
        return function(*map(ticked, arguments), **keywords)

    return consume


def _integer(*arguments: Any, **keywords: Any) -> int:
    return int(*map(reasonable, arguments), **keywords)


def _decimal(*arguments: Any, **keywords: Any) -> Decimal:
    number: Decimal = reasonable(Decimal(*arguments, **keywords))
    return number


def _text(*arguments: Any, **keywords: Any) -> str:
    if len(arguments) == 1 and not keywords:
        return shown(arguments[0])
    return str(*arguments, **keywords)
