"""Order merged children: strictly as in the delta, and as far as possible as in the base.

    base a1 a2 a3 a4 a5    delta b1 a2 b3    result a1 b1 a2 b3 a3 a4 a5

Rules: items that both lists have are pivots (``a2``). An item that only the base has remains behind its predecessor in
the base; if the delta has new items there, it comes behind them (``a3``). An item that only the delta has follows its
predecessor in the delta (``b3``); without a predecessor, it comes directly before the delta's first pivot (``b1``).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeVar

Item = TypeVar("Item", bound=Hashable)


def merged_order(base: Sequence[Item], delta: Sequence[Item]) -> list[Item]:
    """Return the items of both lists, strictly in the order of ``delta`` and as far as possible in that of ``base``.

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
