"""Parsing and formatting of times and durations.

Rules: texts for people are in the local time zone, texts for programs are ISO 8601 in UTC.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

_UNITS: Mapping[str, float] = MappingProxyType({"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0})
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)([smhdw])", re.ASCII)
_EXPECTED = "a duration such as 30m, 2h, 3d or 1w"


def parse_duration_option(text: str) -> float:
    """Return the seconds of a duration with a unit (s, m, h, d, w); raises ArgumentTypeError for any other text.

    >>> parse_duration_option("1.5h")
    5400.0
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"'{text}' is not a duration: expected {_EXPECTED}")
    return float(found[1]) * _UNITS[found[2]]


def parse_since_option(text: str, now: float) -> float:
    """Return a time in seconds since 1970, given as a duration before ``now`` or as an ISO date or time.

    Raises ArgumentTypeError for any other text.

    >>> parse_since_option("2m", 1000.0), parse_since_option("1970-01-01T01:00Z", 1000.0)
    (880.0, 3600.0)
    """
    if _DURATION.fullmatch(text.strip()):
        return now - parse_duration_option(text)
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError, OSError):
        expected = f"{_EXPECTED}, or a date or time such as 2026-01-31 or 2026-01-31T08:00"
        raise argparse.ArgumentTypeError(f"'{text}' is not a time: expected {expected}") from None


def format_iso(seconds: float | None) -> str | None:
    """Return a time, in seconds since 1970, as ISO 8601 in UTC; None stays None.

    >>> format_iso(0.5)
    '1970-01-01T00:00:00.500Z'
    """
    if seconds is None:
        return None
    return _utc_datetime(seconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def format_local(seconds: float | None) -> str:
    """Return a time, in seconds since 1970, as date and time of the local time zone; ``""`` for None."""
    return "" if seconds is None else _utc_datetime(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _utc_datetime(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        from taskrun.errors import StoreError

        raise StoreError(f"a recorded time is damaged: {seconds}: {error}") from error


def format_elapsed(started: float | None, ended: float | None) -> str:
    """Return the time between two times (in seconds) with at most two units; ``""`` if one of them is None.

    >>> format_elapsed(0, 0.0123), format_elapsed(0, 2.5), format_elapsed(0, 135), format_elapsed(0, 100000)
    ('12 ms', '2.5 s', '2 m 15 s', '1 d 3 h')
    """
    if started is None or ended is None:
        return ""
    seconds = max(0.0, ended - started)
    if seconds < 0.9995:  # noqa: PLR2004 - rounded it is less than 1000 ms
        return f"{seconds * 1000:.0f} ms" if seconds >= 0.001 or not seconds else "<1 ms"  # noqa: PLR2004
    if seconds < 59.95:  # noqa: PLR2004 - rounded it is less than 60.0 s
        return f"{seconds:.1f} s"
    whole = round(seconds)
    large, small = ("m", "s") if whole < _UNITS["h"] else ("h", "m") if whole < _UNITS["d"] else ("d", "h")
    return f"{whole // _UNITS[large]:.0f} {large} {whole % _UNITS[large] // _UNITS[small]:.0f} {small}"
