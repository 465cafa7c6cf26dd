"""The counter that stops a script.

Rules: a budget belongs to one evaluation and is shared by everything that the evaluation starts: functions, generator
expressions, and what consumes an iterable for it (``sum``, ``sorted``, ``join`` …), which finds it as the current one.
Once used up it stays used up, so a script that swallows the error is stopped by its next tick. A function that outlives
its evaluation gets a new allowance for each call. Time spent waiting for a host coroutine does not count.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from contextvars import ContextVar, Token
from itertools import chain, compress
from time import monotonic
from typing import Any, Literal

from taskrun.script.limits import Limits, ScriptBudgetError

_STRIDE = 512  # ticks between two looks at the clock

_CURRENT: ContextVar[Budget | None] = ContextVar("budget", default=None)


class Budget:
    """What is left of the ticks and the time of one evaluation.

    ``ticks`` is an endless iterator of true values, each of which costs a tick.
    """

    __slots__ = ("_token", "deadline", "ended", "limits", "rest", "ticks")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.rest = limits.ticks
        self.deadline = monotonic() + limits.seconds
        self.ended = False
        self.ticks: Iterator[int] = chain.from_iterable(iter(self._stretch, None))
        self._token: Token[Budget | None] | None = None

    @property
    def tick(self) -> Callable[[], int]:
        """The function that takes one tick."""
        return self.ticks.__next__

    def _stretch(self) -> Iterable[int]:
        """Return the next ticks; when there are none it is their first one that raises, again and again."""
        count = min(_STRIDE, self.rest)
        try:
            self.charge(max(count, 1))
        except ScriptBudgetError:
            return _Spent(self)
        return range(1, count + 1)

    def charge(self, ticks: int) -> None:
        """Take so many ticks at once and look at the clock; raises ScriptBudgetError when that is too much."""
        if ticks > self.rest:
            self.rest = 0
            raise ScriptBudgetError(f"the script was stopped: it took more than {self.limits.ticks:,} steps")
        if monotonic() > self.deadline:
            raise ScriptBudgetError(f"the script was stopped: it ran longer than {self.limits.seconds:g} s")
        self.rest -= ticks

    def begin(self) -> None:
        """Make this the current budget, until ``end``."""
        self._token = _CURRENT.set(self)

    def end(self) -> None:
        """Note that the evaluation is over, and give way to the budget around it."""
        self.ended = True
        self.deadline = math.inf
        self.ticks = iter(())  # it refers to this object; a cycle would be left to the garbage collector
        if self._token is not None:
            with suppress(ValueError):  # a coroutine that is closed by the garbage collector ends in another context
                _CURRENT.reset(self._token)
            self._token = None

    def renew(self) -> None:
        """Begin again, for a call of a function that has outlived its evaluation, in whatever thread that is.

        It never gets more than is left to the evaluation that calls it.
        """
        around = _CURRENT.get()
        self.ended = False
        self.ticks = chain.from_iterable(iter(self._stretch, None))
        self.rest = self.limits.ticks
        self.deadline = monotonic() + self.limits.seconds
        if around is not None:
            self.rest = min(self.rest, around.rest)
            self.deadline = min(self.deadline, around.deadline)


class _Spent:
    """Ticks of a budget that is used up: each raises ScriptBudgetError until the budget is renewed.

    An iterator of the standard library that is left by an error while it asks for more would be at its end afterwards.
    """

    __slots__ = ("_budget",)

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def __iter__(self) -> _Spent:
        return self

    def __next__(self) -> int:
        self._budget.charge(1)
        raise StopIteration


def current() -> Budget:
    """Return the budget of the evaluation that is going on, or a new one when none has been begun."""
    return _CURRENT.get() or Budget(Limits())


_SIZED: frozenset[type] = frozenset({list, tuple, dict, set, frozenset, str, bytes, bytearray, range})
_SMALL = 256


def ticked(items: Any) -> Any:
    """Return ``items``, an iterable that is about to be consumed, so that each of its items costs a tick.

    A plain container is charged at once and returned itself; what is not iterable is returned as it is.
    """
    if type(items) in _SIZED:
        if len(items) > _SMALL:
            current().charge(len(items))
        return items
    return compress(items, current().ticks) if hasattr(type(items), "__iter__") else items


def container(value: Any) -> Any:
    """Return what ``in`` looks into; an iterator is consumed through the budget."""
    return value if hasattr(type(value), "__contains__") else ticked(value)


class Waiting:
    """A ``with`` block in which the clock of a budget stands still."""

    __slots__ = ("_budget", "_left")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._left = 0.0

    def __enter__(self) -> None:
        self._left = self._budget.deadline - monotonic()

    def __exit__(self, *_error: object) -> Literal[False]:
        self._budget.deadline = monotonic() + self._left
        return False
