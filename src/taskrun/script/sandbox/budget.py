"""Budget of an evaluation: counts the ticks and the time of a script and stops it when they are used up.

Rules: a budget belongs to one evaluation. Functions, generator expressions and functions that consume iterables
(``sum``, ``sorted``, ``join`` …) share the budget of the evaluation that calls them; a context variable holds the
current budget. An exhausted budget stays exhausted, so that a script which catches the error is stopped by its next
tick. A function of a script that is called after its evaluation has ended gets a new budget for each call. The time in
which a script awaits a coroutine of Python code does not count.
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

_STRIDE = 512  # the number of ticks after which the time is checked

_CURRENT: ContextVar[Budget | None] = ContextVar("budget", default=None)


class Budget:
    """Remaining ticks and time of one evaluation; it is in use between ``begin`` and ``end``.

    Attributes:
        limits: The limits at the start of the evaluation.
        rest: The number of ticks that remain.
        deadline: The ``time.monotonic()`` time at which the evaluation is stopped.
        ended: Whether the evaluation is over.
        ticks: Iterator of true values without end. Each value that is taken costs a tick; when none remain, taking
            one raises ScriptBudgetError.
    """

    __slots__ = ("_token", "deadline", "ended", "limits", "rest", "ticks")

    def __init__(self, limits: Limits) -> None:
        self.limits: Limits = limits
        self.rest: int = limits.ticks
        self.deadline: float = monotonic() + limits.seconds
        self.ended: bool = False
        self.ticks: Iterator[int] = chain.from_iterable(iter(self._stretch, None))
        self._token: Token[Budget | None] | None = None

    @property
    def tick(self) -> Callable[[], int]:
        """The function that consumes one tick: ``budget.tick()``; raises ScriptBudgetError if none remain."""
        return self.ticks.__next__

    def _stretch(self) -> Iterable[int]:
        """Charge up to 512 ticks at once and return an iterable over them; so the time is not checked for each tick.

        If the budget is exhausted, return an iterable whose items raise ScriptBudgetError.
        """
        count = min(_STRIDE, self.rest)
        try:
            self.charge(max(count, 1))
        except ScriptBudgetError:
            return _ExhaustedTicks(self)
        return range(1, count + 1)

    def charge(self, ticks: int) -> None:
        """Consume several ticks at once; raises ScriptBudgetError if fewer remain or the time is over."""
        if ticks > self.rest:
            self.rest = 0
            raise ScriptBudgetError(f"the script was stopped: it took more than {self.limits.ticks:,} steps")
        if monotonic() > self.deadline:
            raise ScriptBudgetError(f"the script was stopped: it ran longer than {self.limits.seconds:g} s")
        self.rest -= ticks

    def begin(self) -> None:
        """Make this budget the current one of this context (task or thread) until ``end`` is called."""
        self._token = _CURRENT.set(self)

    def end(self) -> None:
        """Mark the evaluation as ended; the budget of the enclosing evaluation, if any, is the current one again."""
        self.ended = True
        self.deadline = math.inf
        self.ticks = iter(())  # the iterator refers to this object: break the reference cycle
        if self._token is not None:
            with suppress(ValueError):  # the garbage collector closes a coroutine in another context
                _CURRENT.reset(self._token)
            self._token = None

    def renew(self) -> None:
        """Fill the budget again for a call of a script function whose evaluation has ended, possibly in another thread.

        If another evaluation makes the call, the ticks and time are at most what remains of the budget of that
        evaluation.
        """
        caller = _CURRENT.get()
        self.ended = False
        self.ticks = chain.from_iterable(iter(self._stretch, None))
        self.rest = self.limits.ticks
        self.deadline = monotonic() + self.limits.seconds
        if caller is not None:
            self.rest = min(self.rest, caller.rest)
            self.deadline = min(self.deadline, caller.deadline)


class _ExhaustedTicks:
    """Iterator over the ticks of an exhausted budget: taking one raises ScriptBudgetError until the budget is renewed.

    This is a class because a generator is finished after it has raised an error once.
    """

    __slots__ = ("_budget",)

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def __iter__(self) -> _ExhaustedTicks:
        return self

    def __next__(self) -> int:
        self._budget.charge(1)
        raise StopIteration


def current_budget() -> Budget:
    """Return the budget of the running evaluation; outside of evaluations, return a new one with the default limits."""
    return _CURRENT.get() or Budget(Limits())


_SIZED: frozenset[type] = frozenset({list, tuple, dict, set, frozenset, str, bytes, bytearray, range})
_SMALL = 256


def ticked(items: Any) -> Any:
    """Return an iterable over ``items`` whose items cost a tick each; pass it on instead of ``items``.

    A list or another built-in container is returned unchanged, after its ticks were charged all at once (none if it is
    small). A value that is not iterable is returned unchanged.
    """
    if type(items) in _SIZED:
        if len(items) > _SMALL:
            current_budget().charge(len(items))
        return items
    return compress(items, current_budget().ticks) if hasattr(type(items), "__iter__") else items


def with_ticked_arguments(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a variant of ``function`` that charges a tick for each item of each iterable positional argument."""

    def call(*arguments: Any, **keywords: Any) -> Any:
        return function(*map(ticked, arguments), **keywords)

    return call


def container(value: Any) -> Any:
    """Return what a script searches instead of ``value``, the right operand of ``in``.

    If Python searches ``value`` item by item, it is an iterable whose items cost a tick each; otherwise ``value``
    itself.
    """
    return value if hasattr(type(value), "__contains__") else ticked(value)


class PausedClock:
    """Context manager that stops the clock of a budget: ``with PausedClock(budget): await …``.

    It is used while a script awaits Python code, whose time does not count.
    """

    __slots__ = ("_budget", "_left")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._left = 0.0

    def __enter__(self) -> None:
        self._left = self._budget.deadline - monotonic()

    def __exit__(self, *_error: object) -> Literal[False]:
        self._budget.deadline = monotonic() + self._left
        return False
