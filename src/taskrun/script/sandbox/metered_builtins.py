"""Built-in functions that consume iterables, in variants that charge the budget of the calling script.

Rules: each function behaves like the function of Python with the same name. A built-in container is charged at once and
passed to Python's function; any other iterable is charged item by item, so that an infinite one exhausts the budget.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from taskrun.script.sandbox.budget import ticked
from taskrun.script.sandbox.metered_types import metered_callable


def _metered(name: str) -> Callable[..., Any]:
    """Return the variant of the built-in function ``name`` that charges a tick for each item of its first argument."""
    function: Callable[..., Any] = getattr(builtins, name)

    def consume(*arguments: Any, **keywords: Any) -> Any:
        if not arguments:
            return function(**keywords)  # Python raises the TypeError
        if keywords.get("key") is not None:
            keywords["key"] = metered_callable(keywords["key"])
        return function(ticked(arguments[0]), *arguments[1:], **keywords)

    consume.__name__ = consume.__qualname__ = name
    return consume


def map(function: Callable[..., Any], /, *iterables: Iterable[Any]) -> Iterator[Any]:  # noqa: A001 - same name
    """Implement ``map`` of scripts: yield the results of a function for the items; each result costs a tick."""
    return _ticked_iterator(builtins.map(metered_callable(function), *iterables))


def filter(function: Callable[..., Any] | None, items: Iterable[Any], /) -> Iterator[Any]:  # noqa: A001 - as above
    """Implement ``filter`` of scripts: yield the items for which a function returns a true value.

    With None instead of a function, yield the items that are true themselves. Each item examined costs a tick.
    """
    return builtins.filter(metered_callable(function), _ticked_iterator(iter(items)))


def zip(*iterables: Iterable[Any], strict: bool = False) -> Iterator[Any]:  # noqa: A001 - as above
    """Implement ``zip`` of scripts: yield tuples of the items at the same position; each tuple costs a tick."""
    return _ticked_iterator(builtins.zip(*iterables, strict=strict))


def enumerate(items: Iterable[Any], start: int = 0) -> Iterator[Any]:  # noqa: A001 - as above
    """Implement ``enumerate`` of scripts: yield pairs of a number, from ``start``, and an item; each costs a tick."""
    return _ticked_iterator(builtins.enumerate(items, start))


def reversed(items: Any, /) -> Iterator[Any]:  # noqa: A001 - as above
    """Implement ``reversed`` of scripts: yield the items in reverse order; each costs a tick."""
    return _ticked_iterator(builtins.reversed(items))


def _ticked_iterator(items: Iterator[Any]) -> Iterator[Any]:
    """Return an iterator over the same items, in which each item costs a tick of the budget."""
    return ticked(items)  # type: ignore[no-any-return]


CONSUMERS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {name: _metered(name) for name in ("all", "any", "max", "min", "sorted", "sum")}
    | {function.__name__: function for function in (map, filter, zip, enumerate, reversed)}
)
