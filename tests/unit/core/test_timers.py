"""Delays between attempts: growth, maximum, jitter."""

from __future__ import annotations

import pytest

from taskrun.core.timers import exponential_delay, jittered_delay, linear_delay


@pytest.mark.parametrize(
    ("first", "doublings", "maximum", "expected"),
    [(0.5, 0, 10, 0.5), (0.5, 1, 10, 1.0), (0.5, 4, 10, 8.0), (0.5, 5, 10, 10), (20.0, 0, 10, 10), (0.0, 9, 10, 0.0)],
)
def test_exponential_delays_double_up_to_the_maximum(
    first: float, doublings: int, maximum: float, expected: float
) -> None:
    assert exponential_delay(first, doublings, maximum) == expected


def test_exponential_delays_do_not_overflow() -> None:
    assert exponential_delay(1e300, 10**9, 60.0) == 60.0


@pytest.mark.parametrize(("factor", "expected"), [(1, 0.5), (3, 1.5), (100, 10)])
def test_linear_delays_grow_by_the_first_one(factor: int, expected: float) -> None:
    assert linear_delay(0.5, factor, 10) == expected


@pytest.mark.parametrize(("random", "factor"), [(0.0, 0.7), (0.5, 1.0), (1.0, 1.3)])
def test_jitter_is_a_factor_from_0_7_to_1_3(random: float, factor: float) -> None:
    assert jittered_delay(8.0, random) == pytest.approx(8.0 * factor)
