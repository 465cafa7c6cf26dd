"""Conversion of values to text with limits on the length of the text.

Rules: a list that contains the same list many times is small in memory, but its text can be huge. Therefore the length
of the text is estimated before the text is created. The width in a format specification has at most five digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from taskrun.script.sandbox.size_limits import MAX_DIGITS, check_size

_TEXTS = (str, bytes, bytearray)
_CONTAINERS: frozenset[type] = frozenset({list, tuple, dict, set, frozenset})
_DIGITS = re.compile(r"\d{6,}")


def checked_format_spec(spec: str) -> str:
    """Return a format specification such as ``>10`` unchanged; raises OverflowError for a number of six or more digits.

    Such a number is a width or precision that would produce a huge text.
    """
    if _DIGITS.search(spec):
        raise OverflowError("a script cannot format with a width of more than 99,999")
    return spec


def bounded_join(*parts: str) -> str:
    """Return the concatenation of texts; raises OverflowError if it would be too long."""
    check_size(sum(map(len, parts)), text=True)
    return "".join(parts)


_CONVERSIONS: Mapping[int, Callable[[Any], str]] = MappingProxyType({115: str, 114: repr, 97: ascii})


def bounded_format(value: Any, conversion: int, spec: str) -> str:
    """Return the text that ``{value!r:spec}`` produces in an f-string; raises OverflowError if it would be too long.

    ``conversion`` is the code point of the letter after ``!``, or -1 if there is none, as in ``ast.FormattedValue``.
    """
    value = checked_printable(value)
    if conversion in _CONVERSIONS:
        value = _CONVERSIONS[conversion](value)
    return format(value, checked_format_spec(spec))


def checked_printable(value: Any) -> Any:
    """Return ``value`` unchanged, or raise OverflowError if its text would be too long.

    Call it before converting a value to text.
    """
    if type(value) in _CONTAINERS:
        check_size(text_length(value, {}), text=True)
    return value


def bounded_str(value: Any) -> str:
    """Return ``str(value)``, or raise OverflowError if the text would be too long."""
    return str(checked_printable(value))


def text_length(value: Any, known: dict[int, int]) -> int:
    """Return the approximate length of ``str(value)``, computed without creating the text.

    ``known`` maps the ``id`` of each container that was measured already to its length; pass an empty dict.
    """
    kind = type(value)
    if kind in _TEXTS:
        return len(value) + 2
    if kind not in _CONTAINERS:
        return 2
    found = known.get(id(value))
    if found is None:
        known[id(value)] = 2  # a container that contains itself is shown as "[...]"
        total = 2
        for item in value:
            total += text_length(item, known)
        if kind is dict:
            for item in value.values():
                total += text_length(item, known)
        found = known[id(value)] = total
    return found


def checked_decimal(number: Any) -> Any:
    """Return ``number`` unchanged, or raise OverflowError if it is a Decimal with too many digits for an integer."""
    if isinstance(number, Decimal) and number.is_finite() and abs(number.adjusted()) > MAX_DIGITS:
        raise OverflowError(f"a script has decimal numbers of at most {MAX_DIGITS:,} digits")
    return number
