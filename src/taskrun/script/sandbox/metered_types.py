"""Replacements of types at the moment when a script calls them; they charge the budget or limit the result.

Rules: the namespace contains the types themselves, so that ``isinstance`` and ``except`` work. Only a call is replaced:
types that consume iterables charge the budget for each item; ``str``, ``int`` and ``Decimal`` check the size of the
result first.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from taskrun.script.sandbox.bounded_text import bounded_str, checked_decimal
from taskrun.script.sandbox.budget import with_ticked_arguments

_CONSUMING: frozenset[type] = frozenset({list, tuple, set, frozenset, dict, bytes, bytearray})


def metered_callable(function: Any) -> Any:
    """Return what a script calls in place of ``function``: a metered variant of some types, else ``function``."""
    if function is str:
        return _call_str
    if function is int:
        return _call_int
    if function is Decimal:
        return _call_decimal
    if type(function) is not type or function not in _CONSUMING:
        return function
    return with_ticked_arguments(function)


def _call_int(*arguments: Any, **keywords: Any) -> int:
    """Call ``int``; raises OverflowError for a decimal number with too many digits."""
    return int(*map(checked_decimal, arguments), **keywords)


def _call_decimal(*arguments: Any, **keywords: Any) -> Decimal:
    """Call ``Decimal``; raises OverflowError for a number with too many digits."""
    number: Decimal = checked_decimal(Decimal(*arguments, **keywords))
    return number


def _call_str(*arguments: Any, **keywords: Any) -> str:
    """Call ``str``; raises OverflowError if the text would be too long."""
    if len(arguments) == 1 and not keywords:
        return bounded_str(arguments[0])
    return str(*arguments, **keywords)
