"""A service that is unavailable for its first two calls."""

from __future__ import annotations

import itertools

_calls = itertools.count(1)


def temperature(city: str) -> int:
    """Return the temperature of a city, or raise ConnectionError while the service is unavailable."""
    if next(_calls) < 3:
        raise ConnectionError("the service does not answer")
    return len(city) * 3
