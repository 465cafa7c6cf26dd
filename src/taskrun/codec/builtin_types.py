"""The types of Python's library that a codec knows: of what simpler values each is made, and how it is put together again.

Rules: only a value of exactly the type is meant, so what is read is of the type that was written.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo


class UnsavableError(Exception):
    """Says why a value cannot be saved; ``pieces`` are those of the path to it, innermost first."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.pieces: list[str] = []


class SimpleType(NamedTuple):
    """A type with its tag; ``parts`` takes a value apart into what can be saved, ``build`` makes it of that."""

    type: type
    tag: str
    parts: Callable[[Any], Any]
    build: Callable[[Any], Any]


def _code_points(text: str) -> str:
    return _in_base64(text.encode("utf-8", "surrogatepass"))


def _from_code_points(text: str) -> str:
    return base64.b64decode(text).decode("utf-8", "surrogatepass")


def _in_base64(data: bytes | bytearray) -> str:
    return base64.b64encode(data).decode()


def _datetime_parts(value: datetime) -> list[str | int | tzinfo | None]:
    return [value.replace(tzinfo=None, fold=0).isoformat(), value.fold, value.tzinfo]


def _build_datetime(parts: list[Any]) -> datetime:
    text, fold, zone = parts
    return datetime.fromisoformat(text).replace(fold=fold, tzinfo=zone)


def _time_parts(value: time) -> list[str | int | tzinfo | None]:
    return [value.replace(tzinfo=None, fold=0).isoformat(), value.fold, value.tzinfo]


def _build_time(parts: list[Any]) -> time:
    text, fold, zone = parts
    return time.fromisoformat(text).replace(fold=fold, tzinfo=zone)


def _zone_key(zone: ZoneInfo) -> str:
    if zone.key is None:
        raise UnsavableError("a ZoneInfo without a key cannot be saved")
    return zone.key


def _timezone_parts(zone: timezone) -> list[timedelta | str]:
    return list(zone.__getinitargs__())  # type: ignore[attr-defined]  # the offset, and the name when it has one


_TYPES = (
    # texts with lone surrogates and very long integers: JSON would lose or refuse them
    SimpleType(str, "str", _code_points, _from_code_points),
    SimpleType(int, "int", hex, lambda text: int(text, 16)),
    SimpleType(float, "float", repr, float),
    SimpleType(bytes, "bytes", _in_base64, base64.b64decode),
    SimpleType(bytearray, "bytearray", _in_base64, lambda text: bytearray(base64.b64decode(text))),
    SimpleType(complex, "complex", lambda value: [value.real, value.imag], lambda parts: complex(*parts)),
    SimpleType(Decimal, "decimal", str, Decimal),
    SimpleType(date, "date", date.isoformat, date.fromisoformat),
    SimpleType(datetime, "datetime", _datetime_parts, _build_datetime),
    SimpleType(time, "time", _time_parts, _build_time),
    SimpleType(
        timedelta, "timedelta", lambda one: [one.days, one.seconds, one.microseconds], lambda parts: timedelta(*parts)
    ),
    SimpleType(timezone, "timezone", _timezone_parts, lambda parts: timezone(*parts)),
    SimpleType(ZoneInfo, "zone", _zone_key, ZoneInfo),
    SimpleType(UUID, "uuid", str, UUID),
    SimpleType(type(Path()), "path", str, Path),
    SimpleType(PurePosixPath, "posixpath", str, PurePosixPath),
    SimpleType(PureWindowsPath, "windowspath", str, PureWindowsPath),
    SimpleType(range, "range", lambda one: [one.start, one.stop, one.step], lambda parts: range(*parts)),
)

SIMPLE: Mapping[type, SimpleType] = MappingProxyType({one.type: one for one in _TYPES})
"""What is made of simpler values, by type."""

BUILDERS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {one.tag: one.build for one in _TYPES} | {"tuple": tuple, "set": set, "frozenset": frozenset, "dict": dict}
)
"""How to make a value of what was read, by tag."""
