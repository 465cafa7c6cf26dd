"""Functions that replace types such as ``list`` or ``str`` when a script calls them: they are metered or limited.

Rules: the namespace contains the types themselves, so that ``isinstance`` and ``except`` work. Only a call of a type is
replaced: types that consume iterables charge a tick for each item; ``str``, ``int`` and ``Decimal`` check the size of
the result first.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from taskrun.script.sandbox.bounded_text import bounded_str, checked_decimal
from taskrun.script.sandbox.budget import with_ticked_arguments

_CONSUMING: frozenset[type] = frozenset({list, tuple, set, frozenset, dict, bytes, bytearray})


def metered_callable(function: Any) -> Any:
    """Return what a script calls in place of ``function``.

    For a type such as ``list`` or ``str`` it is a function that charges the budget or limits the result; anything else
    is returned unchanged.
    """
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
    """Call ``int`` for a script; raises OverflowError for a Decimal with too many digits."""
    return int(*map(checked_decimal, arguments), **keywords)


def _call_decimal(*arguments: Any, **keywords: Any) -> Decimal:
    """Call ``Decimal`` for a script; raises OverflowError for a number with too many digits."""
    number: Decimal = checked_decimal(Decimal(*arguments, **keywords))
    return number


def _call_str(*arguments: Any, **keywords: Any) -> str:
    """Call ``str`` for a script; raises OverflowError if the text would be too long."""
    if len(arguments) == 1 and not keywords:
        return bounded_str(arguments[0])
    return str(*arguments, **keywords)
