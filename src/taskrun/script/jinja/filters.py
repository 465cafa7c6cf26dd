"""Filters of text templates: the safe filters of jinja2, which charge the budget and limit their results.

Rules: filters that read attributes without the guard, mark text as safe HTML, or output ``repr`` are left out. Filters
that consume iterables charge a tick for each item. If the result of a filter grows with a number that is passed to it,
the number is limited. No filter awaits.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import wraps
from types import MappingProxyType
from typing import Any

from jinja2 import pass_environment
from jinja2.filters import FILTERS
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import escape

from taskrun.script.builtins import JSON
from taskrun.script.sandbox.bounded_operators import BINARY, capped_round, checked_sequence, modulo, sized_method
from taskrun.script.sandbox.bounded_text import bounded_str, checked_printable
from taskrun.script.sandbox.budget import ticked
from taskrun.script.sandbox.size_limits import check_size

_UNCHANGED = (
    "abs",
    "count",
    "d",
    "default",
    "dictsort",
    "filesizeformat",
    "first",
    "items",
    "last",
    "length",
    "random",
)
_TEXTS = (
    "capitalize", "float", "int", "lower", "string", "striptags", "title", "trim", "truncate", "upper", "urlencode",
    "wordcount", "wordwrap",
)  # fmt: skip
_THROUGH_ITEMS = (
    "batch", "groupby", "list", "map", "max", "min", "reject", "rejectattr", "reverse", "select", "selectattr", "slice",
    "sort", "unique",
)  # fmt: skip
_MAX_NUMBER = 99_999


def filters() -> dict[str, Callable[..., Any]]:
    """Return the filters that text templates can use, by name."""
    found: dict[str, Callable[..., Any]] = {name: _synchronous(FILTERS[name]) for name in _UNCHANGED}
    found |= {name: _with_checked_arguments(_synchronous(FILTERS[name]), checked_printable) for name in _TEXTS}
    found |= {name: _with_checked_arguments(_synchronous(FILTERS[name]), ticked) for name in _THROUGH_ITEMS}
    return found | dict(_OWN)


def _synchronous(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the synchronous variant of a filter of jinja2 that also has an asynchronous one, else the filter."""
    if getattr(function, "jinja_async_variant", False):
        plain: Callable[..., Any] = function.__wrapped__  # type: ignore[attr-defined]
        return plain
    return function


def _with_checked_arguments(function: Callable[..., Any], check: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return a filter that calls ``function`` with ``check(value)`` instead of the first argument, ``value``.

    ``check`` is a function such as ``ticked``: it returns what is passed instead, or raises an error. The filter raises
    OverflowError for other arguments that are integers above 99,999.
    """
    at = 1 if getattr(function, "jinja_pass_arg", None) is not None else 0  # jinja2 passes its own argument first

    @wraps(function)
    def guarded(*arguments: Any, **keywords: Any) -> Any:
        for argument in (*arguments[at + 1 :], *keywords.values()):
            _checked_number(argument)
        return function(*arguments[:at], *map(check, arguments[at : at + 1]), *arguments[at + 1 :], **keywords)

    return guarded


def _checked_number(number: Any) -> Any:
    """Return ``number`` unchanged, or raise OverflowError if it is an integer above 99,999 or below -99,999."""
    if isinstance(number, int) and abs(number) > _MAX_NUMBER:
        raise OverflowError(f"a number passed to a filter is at most {_MAX_NUMBER:,}")
    return number


def _center(value: Any, width: int = 80) -> str:
    """Filter ``center``: return a text centered in ``width`` characters."""
    return bounded_str(value).center(_checked_number(width))


def _indent(value: Any, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    """Filter ``indent``: return a text whose lines are indented by ``width``, a number of blanks or a text.

    ``first`` and ``blank`` tell whether the first line and blank lines are indented, too.
    """
    text = bounded_str(value)
    by = width if isinstance(width, str) else " " * _checked_number(width)
    lines = text.splitlines() or [""]
    check_size(len(text) + len(by) * len(lines), text=True)
    moved = [by + line if (line or blank) and (number or first) else line for number, line in enumerate(lines)]
    return "\n".join(moved) + ("\n" if text.endswith("\n") else "")


def _format(value: Any, *arguments: Any, **keywords: Any) -> str:
    """Filter ``format``: return a text with its ``%s`` replaced by the arguments."""
    if arguments and keywords:
        raise TypeError("'format' takes values by position or by name, not both")
    return str(modulo(bounded_str(value), keywords or arguments))


def _replace(value: Any, old: Any, new: Any, count: int = -1) -> str:
    """Filter ``replace``: return a text with ``old`` replaced by ``new``, at most ``count`` times; -1 means always."""
    return str(sized_method(bounded_str(value), "replace")(bounded_str(old), bounded_str(new), count))


@pass_environment
def _join(environment: SandboxedEnvironment, value: Any, d: Any = "", attribute: str | int | None = None) -> str:
    """Filter ``join``: return the items of ``value`` as one text with ``d`` between them.

    With ``attribute``, such as ``order.id``, the value of this attribute of each item is used instead of the item.
    """
    path = [] if attribute is None else str(attribute).split(".")
    items = (_text(_value_at(environment, item, path)) for item in ticked(value))
    return str(sized_method(bounded_str(d), "join")(items))


def _value_at(environment: SandboxedEnvironment, value: Any, path: list[str]) -> Any:
    """Return the value that a list of names leads to: each name is an attribute or item of the value before it."""
    for name in path:
        value = environment.getitem(value, int(name) if name.isdigit() else name)
    return value


def _text(value: Any) -> str:
    """Return a value as text; None as an empty text."""
    return "" if value is None else bounded_str(value)


@pass_environment
def _sum(environment: SandboxedEnvironment, value: Any, attribute: str | int | None = None, start: Any = 0) -> Any:
    """Filter ``sum``: return ``start`` plus the sum of the items of ``value``.

    With ``attribute``, such as ``order.total``, the values of this attribute of each item are added instead of the
    items.
    """
    path = [] if attribute is None else str(attribute).split(".")
    total = start
    for item in ticked(value):
        total = BINARY[ast.Add](total, _value_at(environment, item, path))
    return total


def _round(value: Any, precision: int = 0, method: str = "common") -> Any:
    """Filter ``round``: return a number rounded to nearest (``common``), up (``ceil``) or down (``floor``).

    ``precision`` is the number of digits behind the decimal point.
    """
    if method == "common":
        return capped_round(value, precision)
    return _synchronous(FILTERS["round"])(value, _checked_number(precision), method)


def _tojson(value: Any, indent: int | None = None) -> str:
    """Filter ``tojson``: return a value as JSON text."""
    text: str = checked_sequence(JSON.dumps(value, indent=indent))
    return text


def _escape(value: Any) -> str:
    """Filter ``escape``: return a text in which the special characters of HTML and XML are escaped."""
    return str(escape(_text(value)))


_OWN: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "center": _center,
        "e": _escape,
        "escape": _escape,
        "format": _format,
        "indent": _indent,
        "join": _join,
        "replace": _replace,
        "round": _round,
        "sum": _sum,
        "tojson": _tojson,
    }
)
