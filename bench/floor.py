"""The floor: what a bare tree of coroutines with compiled scripts costs, without scopes, locations or errors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import CodeType
from typing import Any


class Script:
    """A step that evaluates compiled code in one dict."""

    __slots__ = ("code",)

    def __init__(self, code: CodeType) -> None:
        self.code = code

    async def run(self, variables: dict[str, Any]) -> None:
        """Evaluate and assign."""
        variables["total"] = eval(self.code, variables)


class Sequence:
    """Steps in order."""

    __slots__ = ("steps",)

    def __init__(self, steps: list[Script]) -> None:
        self.steps = steps

    async def run(self, variables: dict[str, Any]) -> None:
        """Run them."""
        for step in self.steps:
            await step.run(variables)


def best(run: Callable[[], Awaitable[None]], repeats: int = 20) -> float:
    """Return the best seconds of several runs."""

    async def several() -> float:
        times = []
        for _ in range(repeats):
            started = time.perf_counter()
            await run()
            times.append(time.perf_counter() - started)
        return min(times)

    return asyncio.run(several())


def floor_sequence(count: int) -> float:
    """Return the µs per step of a sequence of ``count`` scripts."""
    sequence = Sequence([Script(compile("total + 1", "floor", "eval")) for _ in range(count)])
    return best(lambda: sequence.run({"total": 0})) / count * 1e6
