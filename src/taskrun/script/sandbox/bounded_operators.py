"""Operators, methods and functions that scripts use instead of Python's, with a limited size of the result.

Rules: an operation whose result would exceed a limit of ``size_limits`` raises OverflowError before it computes the
result. Only an operation such as ``+``, whose result is at most as large as both operands together, is checked
afterwards. Operators that are not in this module are Python's.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from taskrun.script.sandbox.bounded_text import checked_decimal, text_length
from taskrun.script.sandbox.budget import ticked, with_ticked_arguments
from taskrun.script.sandbox.size_limits import MAX_BITS, MAX_DIGITS, MAX_ITEMS, check_size

CONSUMING_METHODS = frozenset(
    {"update", "union", "intersection", "difference", "symmetric_difference", "issubset", "issuperset", "isdisjoint"}
    | {"intersection_update", "difference_update", "symmetric_difference_update"}
)
SIZED_METHODS = CONSUMING_METHODS | frozenset(
    {"as_integer_ratio", "center", "expandtabs", "extend", "fromkeys", "join", "ljust", "replace", "rjust", "to_bytes"}
    | {"zfill"}
)
_TEXTS = (str, bytes, bytearray)
_WIDE_PERCENT = re.compile(r"%[^a-zA-Z%]*(?:\*|\d{6,})")
_SEQUENCES: frozenset[type] = frozenset({str, bytes, bytearray, list, tuple})


def checked_sequence(value: Any) -> Any:
    """Return ``value`` unchanged, or raise OverflowError if it is a text or sequence that is too long."""
    kind = type(value)
    if kind in _SEQUENCES and len(value) > MAX_ITEMS:
        check_size(len(value), isinstance(value, _TEXTS))
    return value


def _check_bits(bits: int) -> None:
    """Raise OverflowError if an integer with this number of bits is larger than a script may create."""
    if bits > MAX_BITS:
        raise OverflowError(f"a script cannot make a number of {bits:,} bits; {MAX_BITS:,} are allowed")


def _check_product(a: Any, b: Any) -> None:
    """Raise OverflowError if ``a * b``, of numbers or of a sequence and a number, would be too large."""
    if isinstance(a, int) and isinstance(b, int):
        _check_bits(a.bit_length() + b.bit_length())
    elif isinstance(a, int) and hasattr(b, "__len__"):
        check_size(a * len(b), isinstance(b, _TEXTS))
    elif isinstance(b, int) and hasattr(a, "__len__"):
        check_size(b * len(a), isinstance(a, _TEXTS))


def multiply(a: Any, b: Any) -> Any:
    """Return ``a * b``; raises OverflowError before computing a result that would be too large."""
    _check_product(a, b)
    return a * b


def power(a: Any, b: Any, modulus: Any = None) -> Any:
    """Return ``a ** b``, or ``pow(a, b, modulus)``; raises OverflowError before computing a too large result."""
    if modulus is not None:
        return pow(a, b, modulus)
    if isinstance(a, int) and isinstance(b, int) and b > 0:
        _check_bits(a.bit_length() * b if abs(a) > 1 else 1)
    return a**b


def shift_left(a: Any, b: Any) -> Any:
    """Return ``a << b``; raises OverflowError before computing a result that would be too large."""
    if isinstance(a, int) and isinstance(b, int) and a:
        _check_bits(a.bit_length() + b)
    return a << b


def modulo(a: Any, b: Any) -> Any:
    """Return ``a % b``: the remainder of numbers or, if ``a`` is a text, the text with its ``%s`` replaced by ``b``.

    Raises OverflowError if the resulting text would be too long.
    """
    if isinstance(a, (str, bytes, bytearray)):
        text = a if isinstance(a, str) else a.decode("latin-1")
        if _WIDE_PERCENT.search(text):
            raise OverflowError("a script cannot format with a width of more than 99,999 or one that is given as '*'")
        values = b if isinstance(b, tuple) else tuple(b.values()) if isinstance(b, dict) else (b,)
        for value in values:
            checked_decimal(value)
        longest = max((text_length(value, {}) for value in values), default=0)
        check_size(len(text) + text.count("%") * longest, text=True)
    return a % b


class SliceTarget:
    """Stand-in for a list in an assignment to a slice, which checks the new length of the list first.

    A script's ``x[1:3] = y`` is executed as ``SliceTarget(x)[1:3] = y``.
    """

    __slots__ = ("_container",)

    def __init__(self, container: Any) -> None:
        self._container = container

    def __setitem__(self, index: slice, value: Any) -> None:
        if hasattr(value, "__len__"):
            check_size(len(self._container) + len(value))
        self._container[index] = value


def _in_place_add(a: Any, b: Any) -> Any:
    """Execute ``a += b`` and return the new ``a``; raises OverflowError if it is too long."""
    a += b
    return checked_sequence(a)


def _in_place_multiply(a: Any, b: Any) -> Any:
    """Execute ``a *= b`` and return the new ``a``; raises OverflowError before computing a too large result."""
    _check_product(a, b)
    a *= b
    return a


BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = MappingProxyType(
    {
        ast.Add: lambda a, b: checked_sequence(a + b),
        ast.Sub: operator.sub,
        ast.Mult: multiply,
        ast.Div: operator.truediv,
        ast.FloorDiv: operator.floordiv,
        ast.Mod: modulo,
        ast.Pow: power,
        ast.MatMult: operator.matmul,
        ast.LShift: shift_left,
        ast.RShift: operator.rshift,
        ast.BitAnd: operator.and_,
        ast.BitOr: operator.or_,
        ast.BitXor: operator.xor,
    }
)
IN_PLACE: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = MappingProxyType(
    {
        **BINARY,
        ast.Add: _in_place_add,
        ast.Sub: operator.isub,
        ast.Mult: _in_place_multiply,
        ast.Div: operator.itruediv,
        ast.FloorDiv: operator.ifloordiv,
        ast.MatMult: operator.imatmul,
        ast.RShift: operator.irshift,
        ast.BitAnd: operator.iand,
        ast.BitOr: operator.ior,
        ast.BitXor: operator.ixor,
    }
)


def sized_method(value: Any, name: str) -> Callable[..., Any]:  # noqa: PLR0911 - a table of methods
    """Return the method ``name`` of ``value`` (of a built-in type) in a variant that limits the size of its result.

    ``name`` is one of ``SIZED_METHODS``. The returned function raises OverflowError if its result would be too large.
    If the method consumes iterables, such as ``set.update``, each item costs a tick.
    """
    method: Callable[..., Any] = getattr(value, name)
    text = isinstance(value, _TEXTS)
    if name == "join" and text:
        return lambda parts, /: method(_checked_parts(value, parts))
    if name == "replace" and text:
        return lambda old, new, count=-1, /: _replace(value, method, old, new, count)
    if name == "extend":
        return lambda items, /: _extend(value, method, items)
    if name in CONSUMING_METHODS:
        return with_ticked_arguments(method)
    if name == "as_integer_ratio":
        checked_decimal(value)
        return method
    if name in SIZED_METHODS - {"join", "replace"}:

        def checked(*arguments: Any, **keywords: Any) -> Any:
            for argument in (*arguments, *keywords.values()):
                if isinstance(argument, int):
                    check_size(argument * (len(value) + 1 if name == "expandtabs" else 1), text)
            return method(*arguments, **keywords)

        return checked
    return method


def _checked_parts(separator: Any, parts: Iterable[Any]) -> list[Any]:
    """Return the parts that ``separator.join`` will concatenate, as a list.

    Raises OverflowError if the joined text would be too long. Each part costs a tick.
    """
    listed = []
    total = 0
    for part in ticked(parts):
        if isinstance(part, _TEXTS):
            total += len(part) + len(separator)
            check_size(total, text=True)
        listed.append(part)
    return listed


def _replace(value: Any, method: Callable[..., Any], old: Any, new: Any, count: int) -> Any:
    """Return ``value.replace(old, new, count)``; raises OverflowError if the text would be too long.

    ``method`` is the bound method ``value.replace``. A negative ``count`` means no limit.
    """
    if isinstance(old, _TEXTS) and isinstance(new, _TEXTS) and len(new) > len(old):
        found = value.count(old)
        check_size(len(value) + (found if count < 0 else min(found, count)) * len(new), text=True)
    return method(old, new, count)


def _extend(value: Any, method: Callable[..., Any], items: Any) -> None:
    """Execute ``value.extend(items)``; raises OverflowError if the list would be too long.

    ``method`` is the bound method ``value.extend``. Each item costs a tick.
    """
    if hasattr(items, "__len__"):
        check_size(len(value) + len(items))
    method(ticked(items))


def capped_range(*arguments: Any) -> range:
    """Implement ``range`` of scripts; raises OverflowError for more than MAX_ITEMS numbers."""
    numbers = range(*arguments)
    start, stop, step = numbers.start, numbers.stop, numbers.step
    check_size(max(0, (stop - start + step - (1 if step > 0 else -1)) // step))
    return numbers


def capped_round(number: Any, ndigits: int | None = None) -> Any:
    """Implement ``round`` of scripts; raises OverflowError for more than MAX_DIGITS digits."""
    if ndigits is None:
        return round(checked_decimal(number))
    if isinstance(ndigits, int) and abs(ndigits) > MAX_DIGITS:
        raise OverflowError(f"a script cannot round to more than {MAX_DIGITS:,} digits")
    return round(number, ndigits)


def capped_integers(function: Callable[..., int], most: int = 10_000) -> Callable[..., int]:
    """Return a variant of a function such as ``math.factorial`` that raises OverflowError for numbers above ``most``.

    The reason: the result for a large number would use too much memory and time.
    """

    def capped(*numbers: int) -> int:
        if any(isinstance(number, int) and number > most for number in numbers):
            raise OverflowError(f"a script calculates {function.__name__} for numbers up to {most:,} only")
        return function(*numbers)

    return capped


def product(numbers: Iterable[Any], /, *, start: Any = 1) -> Any:
    """Implement ``math.prod`` of scripts: return the product of the numbers and ``start``; each number costs a tick."""
    result = start
    for number in ticked(numbers):
        result = multiply(result, number)
    return result


FACTORIALS: Mapping[str, Callable[..., int]] = MappingProxyType(
    {function.__name__: capped_integers(function) for function in (math.factorial, math.comb, math.perm)}
)
