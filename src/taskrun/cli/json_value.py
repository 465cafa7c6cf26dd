"""Conversion of outputs to JSON values.

    date, time                          ISO text
    timedelta                           number of seconds
    Decimal                             number, or text if digits would be lost
    list, tuple, range                  array
    set, frozenset                      sorted array
    mapping                             object
    dataclass, result of a step         object of its fields

Rules: a value of any other type is an error.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

from taskrun.core.script_views import ReadOnlyView


def json_value(value: Any) -> Any:  # noqa: PLR0911 - a table of types
    """Convert a value to types that the module ``json`` accepts; raises ValueError if a part has no JSON form."""
    if value is None or isinstance(value, bool | int | str):
        return _without_subclass(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} has no JSON form")
        return float(value)
    if isinstance(value, Decimal):
        return _decimal_value(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return {_object_key(name): json_value(item) for name, item in value.items()}
    if isinstance(value, list | tuple | range):
        return [json_value(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((json_value(item) for item in value), key=lambda item: (str(type(item)), str(item)))
    return json_value(_public_fields(value))


def _without_subclass(value: Any) -> Any:
    """Return the plain bool, int or str of a value that may be of a subclass, such as a member of an enumeration."""
    for kind in (bool, int, str):
        if isinstance(value, kind):
            return kind(value) if kind is not str else str.__str__(value)
    return value


def _decimal_value(value: Decimal) -> int | float | str:
    if not value.is_finite():
        raise ValueError(f"{value} has no JSON form")
    if value == value.to_integral_value() and value.adjusted() < 18:  # noqa: PLR2004 - fits 64 bits
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)


def _object_key(name: Any) -> str:
    if isinstance(name, str):
        return name
    if name is None or isinstance(name, bool):
        return "null" if name is None else str(name).lower()
    if isinstance(name, int | float):
        return str(name)
    if isinstance(name, date):
        return name.isoformat()
    raise ValueError(f"a {type(name).__name__} as a key has no JSON form")


def _public_fields(value: Any) -> dict[str, Any]:
    if isinstance(value, ReadOnlyView):
        names = [name for name in dir(type(value)) if not name.startswith("_")]
        return {name: item for name in names if not callable(item := getattr(value, name))}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
    raise ValueError(f"a {type(value).__name__} has no JSON form")
