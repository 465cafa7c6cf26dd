"""Times of a run: pauses, time limits, and delays between attempts.

Rules: ``pause`` and ``run_with_timeout`` take seconds. The functions that compute delays work in any unit: the result
has the unit of the first parameter.
"""

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
"""Return the present time in seconds since 1970, the unit of times in records."""

_MAX_DOUBLINGS = 1000
"""The number of doublings at which ``exponential_delay`` stops doubling, because a float would overflow soon after."""

_MIN_JITTER, _JITTER_WIDTH = 0.7, 0.6


async def pause(frame: Frame, seconds: float) -> None:
    """Wait for ``seconds``.

    In a recorded run the end of the wait is recorded. If the run is resumed, the step waits only until that time.
    """
    if seconds > 0 and frame.run.journal.records:
        begun = frame.recorded("due") is not None
        due = frame.remember("due", lambda: now() + seconds)
        if begun:
            seconds = due - now()
    if seconds > 0:
        await asyncio.sleep(seconds)


async def run_with_timeout(seconds: float, frame: Frame, inner: Inner, setting: str) -> Completion:
    """Run ``inner`` in the frame and return its completion; after ``seconds``, cancel it and raise StepTimeout.

    Parameters: 0 or a negative number of ``seconds`` means no limit. ``setting`` is the name of the attribute that set
    the limit, for the message.
    """
    if seconds <= 0:
        return await inner(frame)
    try:
        async with asyncio.timeout(seconds) as limit:
            return await inner(frame)
    except TimeoutError:
        if not limit.expired():
            raise  # the step itself raised it
        message = f"not done within {setting}={seconds * 1000:g} ms"
        raise StepTimeout(message) from None


def exponential_delay(first: float, doublings: int, maximum: float) -> float:
    """Return a delay before a retry: ``first``, doubled ``doublings`` times, at most ``maximum``.

    >>> [exponential_delay(200, doublings, 1000) for doublings in range(4)]
    [200.0, 400.0, 800.0, 1000]
    """
    return min(first * 2.0 ** min(doublings, _MAX_DOUBLINGS), maximum)


def linear_delay(first: float, factor: int, maximum: float) -> float:
    """Return a delay before a retry: ``first`` times ``factor``, at most ``maximum``.

    >>> [linear_delay(200, factor, 500) for factor in (1, 2, 3)]
    [200, 400, 500]
    """
    return min(first * factor, maximum)


def jittered_delay(delay: float, random: float) -> float:
    """Return ``delay`` times a factor from 0.7 to 1.3, so that callers that failed together do not retry together.

    ``random`` is a random number from the caller that selects the factor: 0 selects 0.7, 1 selects 1.3.

    >>> [jittered_delay(100, random) for random in (0.0, 0.5)]
    [70.0, 100.0]
    """
    return delay * (_MIN_JITTER + _JITTER_WIDTH * random)
