"""Conversions: accepted values, refused values, and names of types."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from taskrun.value_types import type_of

NOON = datetime(2024, 2, 3, 12)  # noqa: DTZ001 - flows have local times


def convert(name: str, value: Any) -> Any:
    found = type_of(name)
    assert found is not None
    return found.convert(value)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("str", "a", "a"),
        ("String", True, "true"),
        ("str", False, "false"),
        ("str", 1.5, "1.5"),
        ("str", Decimal("1.10"), "1.10"),
        ("str", date(2024, 2, 3), "2024-02-03"),
        ("int", " -3 ", -3),
        ("int", 3.0, 3),
        ("int", Decimal(4), 4),
        ("float", "1.5", 1.5),
        ("float", "-inf", float("-inf")),
        ("float", 2, 2.0),
        ("float", 2.5, 2.5),
        ("float", Decimal("0.5"), 0.5),
        ("bool", True, True),
        ("bool", " TRUE ", True),
        ("bool", 0, False),
        ("decimal", Decimal(1), Decimal(1)),
        ("decimal", 0.1, Decimal("0.1")),
        ("BigDecimal", " 1.50 ", Decimal("1.50")),
        ("date", date(2024, 2, 3), date(2024, 2, 3)),
        ("date", datetime(2024, 2, 3), date(2024, 2, 3)),  # noqa: DTZ001
        ("date", "2024-02-03", date(2024, 2, 3)),
        ("datetime", NOON, NOON),
        ("datetime", date(2024, 2, 3), datetime(2024, 2, 3)),  # noqa: DTZ001
        ("datetime", "2024-02-03T12:00:00", NOON),
        ("any", 1j, 1j),
        ("list", "[1, null]", [1, None]),
        ("list<int>", ("1", None), [1, None]),
        ("Map<String, List<Integer>>", '{"a": ["1"]}', {"a": [1]}),
        ("dict[str, int]", {1: None}, {"1": None}),
        ("java.util.Map", {1: 2}, {"1": 2}),
    ],
)
def test_accepted_values(name: str, value: Any, expected: Any) -> None:
    found = convert(name, value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("str", object()),
        ("str", [1]),
        ("int", True),
        ("int", "3.5"),
        ("int", 3.5),
        ("int", float("inf")),
        ("int", None.__class__),
        ("float", True),
        ("float", "1e999"),
        ("float", 10**400),
        ("float", 2**53 + 1),
        ("float", []),
        ("bool", "yes"),
        ("bool", 2),
        ("bool", []),
        ("decimal", True),
        ("decimal", "x"),
        ("decimal", []),
        ("date", NOON),
        ("date", time(1)),
        ("date", "2024-02-30"),
        ("datetime", 1),
        ("list", 1),
        ("list", "[1"),
        ("list<int>", ["x"]),
        ("dict", [1]),
    ],
)
def test_refused_values(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"is not of type {name}$"):
        convert(name, value)


def test_a_long_value_is_cut_in_the_message() -> None:
    with pytest.raises(ValueError, match="…") as caught:
        convert("int", "x" * 500)
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize("name", ["integer", "list<int", "list<int, int>", "list<nope>", "dict<str>", "int<str>", ""])
def test_unknown_types(name: str) -> None:
    assert type_of(name) is None
