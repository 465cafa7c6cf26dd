"""The order of merged children: the delta's is kept strictly, the base's as far as possible.

    base a1 a2 a3 a4 a5    delta b1 a2 b3    result a1 b1 a2 b3 a3 a4 a5

Rules: what both name are the pivots. What only the base has stays behind the element that preceded it in the base, after
the delta's new elements there. What only the delta has follows its predecessor in the delta; new elements at its
beginning come before its first pivot.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeVar

Item = TypeVar("Item", bound=Hashable)


def merged_order(base: Sequence[Item], delta: Sequence[Item]) -> list[Item]:
    """Return the items of both in the order of the result; an item that is in both is a pivot.

    >>> merged_order("12345", "3b1")
    ['3', 'b', '4', '5', '1', '2']
    """
    named = set(delta)
    pivots = named.intersection(base)
    leading: list[Item] = []
    behind: dict[Item, list[Item]] = {}
    group = leading
    for item in base:
        if item in pivots:
            group = behind.setdefault(item, [])
        else:
            group.append(item)
    result = leading if pivots else [*base]
    waiting: list[Item] = []
    for item in delta:
        if item in pivots:
            result.extend(waiting)
            waiting = behind[item]
        result.append(item)
    result.extend(waiting)
    return result
