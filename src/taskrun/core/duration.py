"""Durations: ``250``, ``250ms``, ``1.5s``, ``2m``, ``1h``, or text with ``${…}`` that evaluates to one of these.

Rules: flows use milliseconds, asyncio uses seconds; only this module converts between them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from taskrun.core.frame import Frame
    from taskrun.script.script import Script, Template

EXPECTED = "a duration: milliseconds such as 250, or a number with a unit such as 250ms, 1.5s, 2m, 1h"

_UNITS: Mapping[str, float] = MappingProxyType({"": 0.001, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0})
_PATTERN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|)\s*")


def parse_duration(text: str) -> float | None:
    """Return the duration that a text means, in seconds; None if the text is not a duration.

    >>> parse_duration("1.5s"), parse_duration("250"), parse_duration("soon")
    (1.5, 0.25, None)
    """
    found = _PATTERN.fullmatch(text)
    if found is None or (not found[2] and "." in found[1]):
        return None
    return float(found[1]) * _UNITS[found[2]]


def seconds_of(value: Any) -> float:
    """Convert the value of a duration to seconds; raise ValueError if it is not a duration.

    None is 0, a number is milliseconds, a text is read as by ``parse_duration``, a timedelta is allowed too. A negative
    number or timedelta becomes 0.
    """
    if value is None:
        return 0.0
    if isinstance(value, str) and (seconds := parse_duration(value)) is not None:
        return seconds
    if isinstance(value, timedelta):
        return max(0.0, value.total_seconds())
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return max(0.0, value / 1000)
    raise ValueError(f"{value!r} is not {EXPECTED}")


class Millis(NamedTuple):
    """Duration in a flow: ``constant`` (in seconds), or a script that computes the duration when the step runs.

    As the type of a field (``delay: Millis``) it reads an attribute such as ``delay="250ms"``.
    """

    constant: float | None
    script: Script | Template | None = None

    def seconds(self, frame: Frame) -> float:
        """Return the duration in seconds; if a script computes it, evaluate the script in the frame's scope."""
        if self.constant is not None:
            return self.constant
        return seconds_of(frame.eval(self.script)) if self.script else 0.0


ZERO = Millis(0.0)
