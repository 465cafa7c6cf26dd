"""Functions of Python that go through iterables, fed through the budget of the script that calls them.

Rules: each does what Python's does. What is plain and finite is charged at once and handed to Python's own; everything
else is taken item by item, each of which costs a tick, so that nothing endless is ever consumed in one call.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from taskrun.script.sandbox.budget import ticked
from taskrun.script.sandbox.metered_types import consuming


def _fed(name: str) -> Callable[..., Any]:
    """Return a function whose first argument is an iterable."""
    function: Callable[..., Any] = getattr(builtins, name)

    def consume(*arguments: Any, **keywords: Any) -> Any:
        if not arguments:
            return function(**keywords)  # Python's own complaint
        if keywords.get("key") is not None:
            keywords["key"] = consuming(keywords["key"])
        return function(ticked(arguments[0]), *arguments[1:], **keywords)

    consume.__name__ = consume.__qualname__ = name
    return consume


def map(function: Callable[..., Any], /, *iterables: Iterable[Any]) -> Iterator[Any]:  # noqa: A001 - it stands for that
    """Return what a function gives for the items."""
    return _each(builtins.map(consuming(function), *iterables))


def filter(function: Callable[..., Any] | None, items: Iterable[Any], /) -> Iterator[Any]:  # noqa: A001 - as above
    """Return the items for which a function is true."""
    return builtins.filter(consuming(function), _each(iter(items)))


def zip(*iterables: Iterable[Any], strict: bool = False) -> Iterator[Any]:  # noqa: A001 - as above
    """Return the items of several iterables side by side."""
    return _each(builtins.zip(*iterables, strict=strict))


def enumerate(items: Iterable[Any], start: int = 0) -> Iterator[Any]:  # noqa: A001 - as above
    """Return the items with their numbers."""
    return _each(builtins.enumerate(items, start))


def reversed(items: Any, /) -> Iterator[Any]:  # noqa: A001 - as above
    """Return the items from the last to the first."""
    return _each(builtins.reversed(items))


def _each(items: Iterator[Any]) -> Iterator[Any]:
    return ticked(items)  # type: ignore[no-any-return]


CONSUMERS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {name: _fed(name) for name in ("all", "any", "max", "min", "sorted", "sum")}
    | {function.__name__: function for function in (map, filter, zip, enumerate, reversed)}
)
