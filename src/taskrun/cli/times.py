"""Points in time and spans of time, as the commands that list runs take and show them.

Rules: for people, times are those of the place; for programs, ISO 8601 in UTC.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

_UNITS: Mapping[str, float] = MappingProxyType({"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0})
_SPAN = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)([smhdw])", re.ASCII)
_SPANS = "a span such as 30m, 2h, 3d or 1w"


def span(text: str) -> float:
    """Return the seconds of a span of time, for argparse.

    >>> span("1.5h")
    5400.0
    """
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"'{text}' is no span of time: expected {_SPANS}")
    return float(found[1]) * _UNITS[found[2]]


def since(text: str, now: float) -> float:
    """Return the point in time, in seconds since 1970, that a span before ``now`` or an ISO date or time means.

    >>> since("2m", 1000.0), since("1970-01-01T01:00Z", 1000.0)
    (880.0, 3600.0)
    """
    if _SPAN.fullmatch(text.strip()):
        return now - span(text)
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError, OSError):
        expected = f"{_SPANS}, or a date or time such as 2026-01-31 or 2026-01-31T08:00"
        raise argparse.ArgumentTypeError(f"'{text}' is no point in time: expected {expected}") from None


def iso(seconds: float | None) -> str | None:
    """Return a time as ISO 8601 in UTC, None for None.

    >>> iso(0.5)
    '1970-01-01T00:00:00.500Z'
    """
    if seconds is None:
        return None
    return _moment(seconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def local(seconds: float | None) -> str:
    """Return a time as people read it here, ``""`` for None."""
    return "" if seconds is None else _moment(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _moment(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        from taskrun.errors import StoreError

        raise StoreError(f"a recorded time is damaged: {seconds}: {error}") from error


def lasted(started: float | None, ended: float | None) -> str:
    """Return how long something took, ``""`` when that is not known.

    >>> lasted(0, 0.0123), lasted(0, 2.5), lasted(0, 135), lasted(0, 7500), lasted(0, 100000)
    ('12 ms', '2.5 s', '2 m 15 s', '2 h 5 m', '1 d 3 h')
    """
    if started is None or ended is None:
        return ""
    seconds = max(0.0, ended - started)
    if seconds < 0.9995:  # noqa: PLR2004 - what is rounded to less than 1000 ms
        return f"{seconds * 1000:.0f} ms" if seconds >= 0.001 or not seconds else "<1 ms"  # noqa: PLR2004
    if seconds < 59.95:  # noqa: PLR2004 - what is rounded to less than 60.0 s
        return f"{seconds:.1f} s"
    whole = round(seconds)
    large, small = ("m", "s") if whole < _UNITS["h"] else ("h", "m") if whole < _UNITS["d"] else ("d", "h")
    return f"{whole // _UNITS[large]:.0f} {large} {whole % _UNITS[large] // _UNITS[small]:.0f} {small}"
