"""Pauses between attempts: exponential or linear growth up to a maximum, and jitter.

All functions are pure. Every delay has the unit of its first argument.
"""

from __future__ import annotations

_MAX_DOUBLINGS = 1000
"""Exponents stop here: a few more doublings would overflow a float."""

_MIN_JITTER, _JITTER_WIDTH = 0.7, 0.6


def exponential_delay(first: float, doublings: int, maximum: float) -> float:
    """Return ``first`` doubled ``doublings`` times, at most ``maximum``.

    >>> [exponential_delay(200, doublings, 1000) for doublings in range(4)]
    [200.0, 400.0, 800.0, 1000]
    """
    return min(first * 2.0 ** min(doublings, _MAX_DOUBLINGS), maximum)


def linear_delay(first: float, factor: int, maximum: float) -> float:
    """Return ``first`` times ``factor``, at most ``maximum``.

    >>> [linear_delay(200, factor, 500) for factor in (1, 2, 3)]
    [200, 400, 500]
    """
    return min(first * factor, maximum)


def jittered_delay(delay: float, random: float) -> float:
    """Return ``delay`` times a factor from 0.7 to 1.3, so that callers that failed together do not retry together.

    ``random`` selects the factor: a number from 0 (0.7) to 1 (1.3).

    >>> [jittered_delay(100, random) for random in (0.0, 0.5)]
    [70.0, 100.0]
    """
    return delay * (_MIN_JITTER + _JITTER_WIDTH * random)
