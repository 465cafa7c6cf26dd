"""What the steps of these flows do outside of their run: a line in ``effects.log`` in the current folder.

    begin 4711 main/book/1       process 4711 begins what stands at that place, in the first attempt,
    do 4711 main/book/1          has done it
    undo 4711 main/book/1        and undoes it

Rules: a line is one write with O_APPEND, so a process that is killed has written it whole or not at all, and what it has
written stays. Half of a step's time comes before its effect and half after it.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from taskrun import StepContext, Task

LOG = "effects.log"


def effect(kind: str, place: str) -> None:
    """Have an effect."""
    file = os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, f"{kind} {os.getpid()} {place}\n".encode())
    finally:
        os.close(file)


class Work(Task):
    """A step that takes ``millis`` milliseconds, fails when it is told to, and can be undone."""

    async def execute(self, context: StepContext, millis: int = 16, fails: Any = False) -> str:
        """Have the effect ``do``; ``fails`` may be a number of attempts."""
        effect("begin", _place(context))
        await asyncio.sleep(millis / 2000)
        effect("do", _place(context))
        await asyncio.sleep(millis / 2000)
        if fails is True or (not isinstance(fails, bool) and context.attempt <= fails):
            raise ConnectionError("nobody answers")
        return context.path

    async def revert(self, context: StepContext, millis: int = 16) -> None:
        """Have the effect ``undo``."""
        await asyncio.sleep(millis / 2000)
        effect("undo", _place(context))
        await asyncio.sleep(millis / 2000)


class Shop:
    """What scripts call."""

    async def do(self, place: str) -> str:
        """Have the effect ``do``."""
        effect("begin", f"{place}/1")
        effect("do", f"{place}/1")
        await asyncio.sleep(0.01)
        return place

    async def undo(self, place: str) -> None:
        """Have the effect ``undo``."""
        await asyncio.sleep(0.01)
        effect("undo", f"{place}/1")


def _place(context: StepContext) -> str:
    return context.idempotency_key.removeprefix(f"{context.run_id}/")
