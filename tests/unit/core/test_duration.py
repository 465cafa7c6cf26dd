"""Durations: text, numbers, timedeltas and scripts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from taskrun.core.duration import ZERO, Millis, parse_duration, seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250", 0.25),
        ("250ms", 0.25),
        ("1.5 s", 1.5),
        ("2m", 120.0),
        ("1h", 3600.0),
        ("1.5", None),
        ("-1", None),
        ("", None),
    ],
)
def test_text(text: str, seconds: float | None) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("value", "seconds"), [(None, 0), (1500, 1.5), (-5, 0), ("2s", 2), (timedelta(minutes=1), 60), (timedelta(-1), 0)]
)
def test_values(value: Any, seconds: float) -> None:
    assert seconds_of(value) == seconds


@pytest.mark.parametrize("value", ["soon", True, float("nan"), float("inf"), [], b"1"])
def test_no_duration(value: Any) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        seconds_of(value)


def test_a_duration_without_value_is_zero() -> None:
    nothing: Any = None
    assert Millis(None).seconds(nothing) == 0
    assert ZERO.seconds(nothing) == 0
