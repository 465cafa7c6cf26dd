"""Time in a run: waiting, which ``delay`` and ``sleep`` share, and limits, which ``timeout`` and ``attemptTimeout`` share."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from taskrun.errors import StepTimeout

if TYPE_CHECKING:
    from taskrun.core.completion import Completion
    from taskrun.core.frame import Frame
    from taskrun.core.step import Inner

now: Final = time.time
"""Return the present time in seconds since 1970, as records have it."""


async def pause(frame: Frame, seconds: float) -> None:
    """Wait; a run that is resumed meanwhile waits for what is left of it only."""
    if seconds > 0 and frame.run.journal.records:
        begun = frame.recorded("due") is not None
        due = frame.remember("due", lambda: now() + seconds)
        if begun:
            seconds = due - now()
    if seconds > 0:
        await asyncio.sleep(seconds)


async def within(seconds: float, frame: Frame, inner: Inner, setting: str) -> Completion:
    """Run ``inner`` and cancel it after ``seconds`` (0: no limit), which raises StepTimeout naming the setting."""
    if seconds <= 0:
        return await inner(frame)
    try:
        async with asyncio.timeout(seconds) as limit:
            return await inner(frame)
    except TimeoutError:
        if not limit.expired():
            raise
        message = f"not done within {setting}={seconds * 1000:g} ms"
        raise StepTimeout(message) from None
