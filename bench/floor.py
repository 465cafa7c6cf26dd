"""Lower bound of the costs of a step: a tree of coroutines with compiled scripts, without scopes and error handling."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import CodeType
from typing import Any


class Script:
    """Step that evaluates compiled code in a dict of variables."""

    __slots__ = ("code",)

    def __init__(self, code: CodeType) -> None:
        self.code = code

    async def run(self, variables: dict[str, Any]) -> None:
        """Evaluate the code and assign its value to ``total``."""
        variables["total"] = eval(self.code, variables)


class Sequence:
    """Sequence of steps."""

    __slots__ = ("steps",)

    def __init__(self, steps: list[Script]) -> None:
        self.steps = steps

    async def run(self, variables: dict[str, Any]) -> None:
        """Run the steps in order."""
        for step in self.steps:
            await step.run(variables)


def best(run: Callable[[], Awaitable[None]], repeats: int = 20) -> float:
    """Return the shortest time of several runs, in seconds."""

    async def several() -> float:
        times = []
        for _ in range(repeats):
            started = time.perf_counter()
            await run()
            times.append(time.perf_counter() - started)
        return min(times)

    return asyncio.run(several())


def floor_sequence(count: int) -> float:
    """Return the µs per step of a sequence of ``count`` script steps."""
    sequence = Sequence([Script(compile("total + 1", "floor", "eval")) for _ in range(count)])
    return best(lambda: sequence.run({"total": 0})) / count * 1e6
