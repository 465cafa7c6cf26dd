"""Values as text, with a look at how long the text would be before it is made.

Rules: a list in which one list stands many times is small in memory and, written out, as large as you like; so what a
value holds is counted first. A width is five digits at most.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from taskrun.script.sandbox.size_limits import MAX_DIGITS, within

_TEXTS = (str, bytes, bytearray)
_CONTAINERS: frozenset[type] = frozenset({list, tuple, dict, set, frozenset})
_DIGITS = re.compile(r"\d{6,}")


def width(spec: str) -> str:
    """Return a format specification, or raise OverflowError when it asks for a width of six digits or more."""
    if _DIGITS.search(spec):
        raise OverflowError("a script cannot format with a width of more than 99,999")
    return spec


def joined(*parts: str) -> str:
    """Return the parts of a text as one."""
    within(sum(map(len, parts)), text=True)
    return "".join(parts)


_CONVERSIONS: Mapping[int, Callable[[Any], str]] = MappingProxyType({115: str, 114: repr, 97: ascii})


def formatted(value: Any, conversion: int, spec: str) -> str:
    """Return what ``{value!r:spec}`` shows; ``conversion`` is the character after the ``!``, or -1."""
    value = showable(value)
    if conversion in _CONVERSIONS:
        value = _CONVERSIONS[conversion](value)
    return format(value, width(spec))


def showable(value: Any) -> Any:
    """Return a value that is about to be shown as text, or raise OverflowError when the text would be too long.

    A list in which one list stands many times is small in memory and, written out, as large as you like.
    """
    if type(value) in _CONTAINERS:
        within(written(value, {}), text=True)
    return value


def shown(value: Any) -> str:
    """Return a value as text."""
    return str(showable(value))


def written(value: Any, known: dict[int, int]) -> int:
    """Return about how long a value is, written out; ``known`` are the lengths of the containers seen so far."""
    kind = type(value)
    if kind in _TEXTS:
        return len(value) + 2
    if kind not in _CONTAINERS:
        return 2
    found = known.get(id(value))
    if found is None:
        known[id(value)] = 2  # what contains itself is shown as "[...]"
        total = 2
        for item in value:
            total += written(item, known)
        if kind is dict:
            for item in value.values():
                total += written(item, known)
        found = known[id(value)] = total
    return found


def reasonable(number: Any) -> Any:
    """Return a value, or raise OverflowError for a decimal number that is too long to be made an integer."""
    if isinstance(number, Decimal) and number.is_finite() and abs(number.adjusted()) > MAX_DIGITS:
        raise OverflowError(f"a script has decimal numbers of at most {MAX_DIGITS:,} digits")
    return number
