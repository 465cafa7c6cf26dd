"""Methods of lists, maps and sets in XScript: the tables LIST, MAP and SET map their names to Python functions.

Rules: a callback receives the item, and also the index or map key where JavaScript passes it. A method that iterates
consumes a tick for each item. A method that grows a collection checks its size first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cmp_to_key, reduce
from types import MappingProxyType
from typing import Any

from taskrun.script.sandbox.budget import ticked
from taskrun.script.sandbox.size_limits import check_size
from taskrun.script.xscript.values import MapEntry, equal, text, truth

_MISSING = object()


def _map_items(items: Any, function: Callable[..., Any]) -> Any:
    """Yield ``function(item, index)`` for each item of a list.

    The items are those at the start: ``function`` may change the list.
    """
    return (function(item, index) for index, item in enumerate(ticked(list(items))))


def _push(items: list[Any], *new: Any) -> int:
    check_size(len(items) + len(new))
    items.extend(new)
    return len(items)


def _add(items: list[Any], first: Any, second: Any = _MISSING) -> bool:
    """Append ``first`` to a list, or with two arguments insert ``second`` at the index ``first``; return True."""
    check_size(len(items) + 1)
    if second is _MISSING:
        items.append(first)
    else:
        items.insert(first, second)
    return True


def _add_all(items: list[Any], more: Any) -> bool:
    added = list(ticked(more))
    check_size(len(items) + len(added))
    items.extend(added)
    return bool(added)


def _filter(items: Any, test: Callable[..., Any]) -> list[Any]:
    return [item for index, item in enumerate(ticked(list(items))) if truth(test(item, index))]


def _find(items: Any, test: Callable[..., Any]) -> Any:
    return next((item for index, item in enumerate(ticked(items)) if truth(test(item, index))), None)


def _find_index(items: Any, test: Callable[..., Any]) -> int:
    return next((index for index, item in enumerate(ticked(items)) if truth(test(item, index))), -1)


def _flat_map(items: Any, function: Callable[..., Any]) -> list[Any]:
    flat: list[Any] = []
    for found in _map_items(items, function):
        _add_all(flat, found if isinstance(found, (list, tuple, set)) else [found])
    return flat


def _for_each(items: Any, function: Callable[..., Any]) -> None:
    for _ in _map_items(items, function):
        pass


def _reduce(items: Any, function: Callable[..., Any], start: Any = _MISSING) -> Any:
    given = [start] if start is not _MISSING else []
    if not given and not items:
        raise ValueError("reduce of an empty list needs a start value")
    return reduce(lambda total, item: function(total, item), ticked(list(items)), *given)  # noqa: PLW0108 - exactly 2 arguments


def _index_of(items: Any, wanted: Any) -> int:
    return next((index for index, item in enumerate(ticked(items)) if equal(item, wanted)), -1)


def _last_index_of(items: Any, wanted: Any) -> int:
    found = _index_of(items[::-1], wanted)
    return len(items) - 1 - found if found >= 0 else -1


def _join(items: Any, separator: Any = ",") -> str:
    pieces = ["" if item is None else text(item) for item in ticked(items)]
    check_size(sum(map(len, pieces)) + len(text(separator)) * len(pieces), text=True)
    return text(separator).join(pieces)


def _concat(items: Any, *others: Any) -> list[Any]:
    joined = list(items)
    for other in others:
        _add_all(joined, other if isinstance(other, (list, tuple)) else [other])
    return joined


def _splice(items: list[Any], start: int, count: int | None = None, *new: Any) -> list[Any]:
    """Replace ``count`` items of a list from the index ``start`` on by the items ``new``; return the removed items.

    A negative ``start`` counts from the end. None as ``count`` means all items from ``start`` on.
    """
    first = max(0, len(items) + start) if start < 0 else min(start, len(items))
    last = len(items) if count is None else min(len(items), first + max(0, count))
    removed = items[first:last]
    check_size(len(items) + len(new))
    items[first:last] = new
    return removed


def _sort(items: list[Any], compare: Callable[..., Any] | None = None) -> list[Any]:
    """Sort a list in place and return it.

    ``compare(a, b)`` returns a negative number if ``a`` comes first, a positive one if ``b`` does, else 0. Without it
    Python's order applies.
    """
    ticked(items)
    items.sort(key=None if compare is None else cmp_to_key(lambda a, b: _sign(compare(a, b))))
    return items


def _sign(found: Any) -> int:
    """Return the result of a comparison callback as -1, 0 or 1; True counts as 1, False as -1."""
    if isinstance(found, bool):
        return 1 if found else -1
    return int((found > 0) - (found < 0))


def _reverse(items: list[Any]) -> list[Any]:
    items.reverse()
    return items


def _get(items: Any, index: int) -> Any:
    if not 0 <= index < len(items):
        raise IndexError(f"the list has {len(items)} items, no item {index}")
    return items[index]


def _set_at(items: list[Any], index: int, value: Any) -> Any:
    before = _get(items, index)
    items[index] = value
    return before


def _remove(items: list[Any], what: Any) -> Any:
    """Remove an item of a list: by its index if ``what`` is an integer, else the first item that equals ``what``.

    By index, returns the removed item, or null if the list has no such index. Otherwise returns whether an item was
    removed.
    """
    if isinstance(what, int) and not isinstance(what, bool):
        return items.pop(what) if 0 <= what < len(items) else None
    index = _index_of(items, what)
    if index >= 0:
        del items[index]
    return index >= 0


def _pop_at(position: int) -> Callable[[list[Any]], Any]:
    """Return the method ``pop`` or ``shift``, which removes and returns the item at ``position`` (-1 or 0).

    For an empty list the method returns null.
    """
    return lambda items: items.pop(position) if items else None


def _prepend(items: list[Any], *new: Any) -> int:
    check_size(len(items) + len(new))
    items[:0] = new
    return len(items)


def _put(values: dict[Any, Any], key: Any, value: Any) -> Any:
    """Set an entry of a map; return its previous value, or null if there was none."""
    before = values.get(key)
    values[key] = value
    return before


def _put_all(values: dict[Any, Any], more: Mapping[Any, Any]) -> None:
    check_size(len(values) + len(more))
    values.update(more)


def _entries(values: dict[Any, Any]) -> list[MapEntry]:
    return [MapEntry(key, value) for key, value in values.items()]


def _for_each_entry(values: dict[Any, Any], function: Callable[..., Any]) -> None:
    for key, value in ticked(list(values.items())):
        function(value, key)


def _put_if_absent(values: dict[Any, Any], key: Any, value: Any) -> Any:
    return values.get(key) if values.get(key) is not None else _put(values, key, value)


def _discard(items: set[Any], item: Any) -> bool:
    """Remove an item from a set; return True if it was in the set, else False."""
    found = item in items
    items.discard(item)
    return found


def _include(items: set[Any], item: Any) -> bool:
    """Add an item to a set; return True if it is new, False if it was in the set already."""
    found = item not in items
    check_size(len(items) + 1)
    items.add(item)
    return found


LIST: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "length": len, "size": len, "isEmpty": lambda items: not items, "push": _push, "add": _add, "addAll": _add_all,
        "pop": _pop_at(-1), "shift": _pop_at(0), "unshift": _prepend, "filter": _filter,
        "map": lambda items, function: list(_map_items(items, function)), "flatMap": _flat_map, "find": _find,
        "findIndex": _find_index, "some": lambda items, test: any(map(truth, _map_items(items, test))),
        "every": lambda items, test: all(map(truth, _map_items(items, test))), "forEach": _for_each, "reduce": _reduce,
        "includes": lambda items, item: _index_of(items, item) >= 0,
        "contains": lambda items, item: _index_of(items, item) >= 0, "indexOf": _index_of,
        "lastIndexOf": _last_index_of, "join": _join, "concat": _concat,
        "slice": lambda items, start=0, end=None: list(items[start:end]),
        "subList": lambda items, start, end: list(items[start:end]), "splice": _splice, "sort": _sort,
        "reverse": _reverse, "get": _get, "set": _set_at, "remove": _remove, "clear": list.clear,
        "toString": text, "equals": equal, "$first": lambda items: items[0] if items else None,
        "$last": lambda items: items[-1] if items else None, "$isEmpty": lambda items: not items,
    }
)  # fmt: skip
MAP: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "size": len, "isEmpty": lambda values: not values, "get": lambda values, key: values.get(key),
        "getOrDefault": lambda values, key, default: values.get(key, default), "put": _put, "set": _put,
        "putIfAbsent": _put_if_absent, "putAll": _put_all, "has": lambda values, key: key in values,
        "containsKey": lambda values, key: key in values,
        "containsValue": lambda values, value: _index_of(values.values(), value) >= 0,
        "keySet": list, "keys": list,
        "values": lambda values: list(values.values()), "entries": _entries, "entrySet": _entries,
        "remove": lambda values, key: values.pop(key, None), "delete": lambda values, key: values.pop(key, None),
        "clear": dict.clear, "forEach": _for_each_entry, "toString": text, "equals": equal,
        "$isEmpty": lambda values: not values,
    }
)  # fmt: skip
SET: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "size": len, "isEmpty": lambda items: not items, "add": _include, "has": lambda items, item: item in items,
        "contains": lambda items, item: item in items, "remove": _discard, "delete": _discard,
        "values": list, "forEach": _for_each, "clear": set.clear,
        "map": lambda items, function: list(_map_items(items, function)), "filter": _filter, "toString": text,
        "join": _join, "equals": equal,
    }
)  # fmt: skip
