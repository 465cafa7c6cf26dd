"""The beans that the flows of the conformance kit may use; every case gets new ones."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from taskrun import StepContext, Task


def add(x: int, y: int = 10) -> int:
    """Return the sum; the second parameter is optional."""
    return x + y


async def slow_add(x: int, y: int) -> int:
    """Return the sum after 100 ms."""
    await asyncio.sleep(0.1)
    return x + y


def nap(millis: float) -> str:
    """Block the thread for a time, in real time."""
    time.sleep(millis / 1000)
    return "awake"


def pair(x: int) -> dict[str, int]:
    """Return a mapping of two results."""
    return {"half": x // 2, "double": x * 2}


def both(x: int) -> tuple[int, int]:
    """Return two results by position."""
    return x - 1, x + 1


async def holding(millis: float) -> None:
    """Sleep on the event loop."""
    await asyncio.sleep(millis / 1000)


def refuse(reason: str) -> None:
    """Raise a LookupError."""
    raise LookupError(reason)


def leave() -> None:
    """Raise a SystemExit."""
    sys.exit(3)


@dataclass(slots=True)
class Recorder:
    """A list of reported values, which a case compares with its ``recorded``."""

    calls: list[Any] = field(default_factory=list)

    def note(self, what: Any) -> None:
        """Store a value."""
        self.calls.append(what)


@dataclass(slots=True)
class Flaky:
    """An object whose first ``failures`` calls fail, and later ones return the number of the call."""

    failures: int
    calls: int = 0

    def call(self) -> int:
        """Fail, or return the number of the call."""
        self.calls += 1
        if self.calls <= self.failures:
            raise ConnectionError(f"call {self.calls}")
        return self.calls

    async def call_async(self) -> int:
        """Fail, or return the number of the call, after 10 ms."""
        await asyncio.sleep(0.01)
        return self.call()


@dataclass(slots=True)
class Greeter:
    """An object with state and methods."""

    word: str

    def greet(self, name: str, mark: str = "!") -> str:
        """Return a greeting."""
        return f"{self.word} {name}{mark}"

    async def greet_slowly(self, name: str) -> str:
        """Return a greeting after 100 ms."""
        await asyncio.sleep(0.1)
        return f"{self.word} {name}"

    def execute(self, name: str) -> str:
        """Return a greeting; the method that ``<simple>`` calls."""
        return f"{self.word}, {name}"


@dataclass(slots=True)
class Gauge:
    """A counter of calls that run at once."""

    running: int = 0
    most: int = 0

    async def hold(self, millis: float) -> None:
        """Sleep, and count the calls that run at once."""
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(millis / 1000)
        finally:
            self.running -= 1

    def peak(self) -> int:
        """Return the greatest number of calls that ran at once."""
        return self.most


Inner = Callable[[Any], Awaitable[Any]]


@dataclass(slots=True)
class Noting:
    """A decorator that records when a step starts and ends."""

    word: str
    recorder: Recorder

    async def around(self, frame: Any, inner: Inner) -> Any:
        """Run the step between two notes."""
        self.recorder.note(f"{self.word} in")
        try:
            return await inner(frame)
        finally:
            self.recorder.note(f"{self.word} out")


@dataclass(slots=True)
class Twice:
    """A decorator that runs the step twice."""

    async def around(self, frame: Any, inner: Inner) -> Any:
        """Run the step twice and return the second completion."""
        await inner(frame)
        return await inner(frame)


class Booking(Task):
    """A Task that provides two items of its result by key."""

    default_provides = frozenset({"seat", "price"})

    def execute(self, train: str, seats: int = 1) -> dict[str, Any]:
        """Return the seat and the price of a booking."""
        return {"seat": f"{train}-{seats}", "price": 10 * seats}


@dataclass(slots=True)
class Seat:
    """An object with a compensation; it fails for a seat below 0, and its ``revert`` for seat 13."""

    recorder: Recorder

    def execute(self, seat: int) -> str:
        """Return the seat."""
        if seat < 0:
            raise LookupError(f"no seat {seat}")
        return f"seat {seat}"

    def revert(self, seat: int, result: Any, failure: Exception) -> None:
        """Record the arguments."""
        self.recorder.note([seat, str(result), str(failure)])
        if seat == 13:
            raise OSError("nobody gives it back")


def where(context: StepContext) -> list[Any]:
    """Return the path and the attempt of the step, and report progress."""
    context.progress(0.5, "half")
    return [context.path, context.attempt]


def thread_name() -> str:
    """Return the name of the current thread, without its number."""
    name = threading.current_thread().name
    return name.rpartition("_")[0] or name


def make_beans() -> dict[str, Any]:
    """Return a new set of all beans."""
    recorder = Recorder()
    return {
        "add": add,
        "slowAdd": slow_add,
        "nap": nap,
        "holding": holding,
        "pair": pair,
        "both": both,
        "refuse": refuse,
        "leave": leave,
        "recorder": recorder,
        "note": recorder.note,
        "flaky": Flaky(2),
        "broken": Flaky(1_000_000),
        "greeter": Greeter("Hello"),
        "farewell": Greeter("Bye"),
        "gauge": Gauge(),
        "outer": Noting("outer", recorder),
        "inner": Noting("inner", recorder),
        "twice": Twice(),
        "pool": ThreadPoolExecutor(1, thread_name_prefix="own-pool"),
        "threadName": thread_name,
        "booking": Booking(),
        "tripBooking": Booking(rebind={"train": "line"}, provides={"place": "seat"}, inject={"seats": 3}),
        "where": where,
        "seat": Seat(recorder),
    }
