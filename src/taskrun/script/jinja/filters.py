"""The filters of templates: jinja2's own, as far as a script may have them.

Rules: those that look into values by themselves, mark text as safe HTML, or write Python's ``repr`` are left out. What
goes through items is charged for them, what makes text or lists from a number is capped. None of them awaits.
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
from taskrun.script.sandbox.bounded_operators import BINARY, capped_round, measured, modulo, sized_method
from taskrun.script.sandbox.bounded_text import showable, shown
from taskrun.script.sandbox.budget import ticked
from taskrun.script.sandbox.size_limits import within

_PLAIN = ("abs", "count", "d", "default", "dictsort", "filesizeformat", "first", "items", "last", "length", "random")
_TEXTS = (
    "capitalize", "float", "int", "lower", "string", "striptags", "title", "trim", "truncate", "upper", "urlencode",
    "wordcount", "wordwrap",
)  # fmt: skip
_THROUGH_ITEMS = (
    "batch", "groupby", "list", "map", "max", "min", "reject", "rejectattr", "reverse", "select", "selectattr", "slice",
    "sort", "unique",
)  # fmt: skip
_MOST = 99_999


def filters() -> dict[str, Callable[..., Any]]:
    """Return the filters by name."""
    found: dict[str, Callable[..., Any]] = {name: _now(FILTERS[name]) for name in _PLAIN}
    found |= {name: _given(_now(FILTERS[name]), showable) for name in _TEXTS}
    found |= {name: _given(_now(FILTERS[name]), ticked) for name in _THROUGH_ITEMS}
    return found | dict(_OWN)


def _now(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the variant of a filter that does not await."""
    if getattr(function, "jinja_async_variant", False):
        plain: Callable[..., Any] = function.__wrapped__  # type: ignore[attr-defined]
        return plain
    return function


def _given(function: Callable[..., Any], made: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return a filter that gets ``made(value)`` instead of its value, and no number of six digits besides."""
    at = 1 if getattr(function, "jinja_pass_arg", None) is not None else 0  # the first one is jinja2's then

    @wraps(function)
    def guarded(*arguments: Any, **keywords: Any) -> Any:
        for argument in (*arguments[at + 1 :], *keywords.values()):
            _width(argument)
        return function(*arguments[:at], *map(made, arguments[at : at + 1]), *arguments[at + 1 :], **keywords)

    return guarded


def _width(number: Any) -> Any:
    if isinstance(number, int) and abs(number) > _MOST:
        raise OverflowError(f"a filter takes no number over {_MOST:,}")
    return number


def _center(value: Any, width: int = 80) -> str:
    return shown(value).center(_width(width))


def _indent(value: Any, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    """Return the text with its lines moved to the right: the first one and blank ones only if asked for."""
    text = shown(value)
    by = width if isinstance(width, str) else " " * _width(width)
    lines = text.splitlines() or [""]
    within(len(text) + len(by) * len(lines), text=True)
    moved = [by + line if (line or blank) and (number or first) else line for number, line in enumerate(lines)]
    return "\n".join(moved) + ("\n" if text.endswith("\n") else "")


def _format(value: Any, *arguments: Any, **keywords: Any) -> str:
    """Return a text with ``%s`` in it filled in."""
    if arguments and keywords:
        raise TypeError("'format' takes values by position or by name, not both")
    return str(modulo(shown(value), keywords or arguments))


def _replace(value: Any, old: Any, new: Any, count: int = -1) -> str:
    return str(sized_method(shown(value), "replace")(shown(old), shown(new), count))


@pass_environment
def _join(environment: SandboxedEnvironment, value: Any, d: Any = "", attribute: str | int | None = None) -> str:
    """Return the items as one text with ``d`` between them."""
    path = [] if attribute is None else str(attribute).split(".")
    items = (_text(_part(environment, item, path)) for item in ticked(value))
    return str(sized_method(shown(d), "join")(items))


def _part(environment: SandboxedEnvironment, value: Any, path: list[str]) -> Any:
    for name in path:
        value = environment.getitem(value, int(name) if name.isdigit() else name)
    return value


def _text(value: Any) -> str:
    return "" if value is None else shown(value)


@pass_environment
def _sum(environment: SandboxedEnvironment, value: Any, attribute: str | int | None = None, start: Any = 0) -> Any:
    """Return the sum of the items, or of one attribute of them."""
    path = [] if attribute is None else str(attribute).split(".")
    total = start
    for item in ticked(value):
        total = BINARY[ast.Add](total, _part(environment, item, path))
    return total


def _round(value: Any, precision: int = 0, method: str = "common") -> Any:
    """Return a number rounded to ``precision`` digits: half up to even (``common``), ``ceil`` or ``floor``."""
    if method == "common":
        return capped_round(value, precision)
    return _now(FILTERS["round"])(value, _width(precision), method)


def _tojson(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON text."""
    text: str = measured(JSON.dumps(value, indent=indent))
    return text


def _escape(value: Any) -> str:
    """Return a text for HTML and XML."""
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
