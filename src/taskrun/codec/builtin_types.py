"""The types of Python's standard library that can be recorded, with their conversion to simpler values and back.

Rules: a conversion applies to values of exactly its type, not of subclasses, so that a value is restored with its own
type.
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
    """Raised for a value that cannot be converted to JSON text.

    ``path_parts`` leads to the problem inside the whole value, from the inside to the outside: ``['.city',
    "['address']"]`` for ``value['address'].city``. Only this package sees this exception; ``Codecs.dumps`` raises
    UnsavableValueError for it.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.path_parts: list[str] = []


class BuiltinType(NamedTuple):
    """How values of one Python type are converted to JSON and back.

    ``parts`` returns a simpler value (a text, a number, a list …) for a value; ``build`` creates the value from it
    again. ``tag`` is the name of the type in the JSON text.
    """

    type: type
    tag: str
    parts: Callable[[Any], Any]
    build: Callable[[Any], Any]


def _encode_surrogates(text: str) -> str:
    """Return a text with lone surrogates (characters that UTF-8 cannot encode) as bytes in base64."""
    return _encode_base64(text.encode("utf-8", "surrogatepass"))


def _decode_surrogates(text: str) -> str:
    """Return the text that ``_encode_surrogates`` encoded."""
    return base64.b64decode(text).decode("utf-8", "surrogatepass")


def _encode_base64(data: bytes | bytearray) -> str:
    """Return bytes as base64 text."""
    return base64.b64encode(data).decode()


def _datetime_parts(value: datetime) -> list[str | int | tzinfo | None]:
    """Return a datetime as its ISO text without time zone, its ``fold``, and its time zone."""
    return [value.replace(tzinfo=None, fold=0).isoformat(), value.fold, value.tzinfo]


def _build_datetime(parts: list[Any]) -> datetime:
    """Create the datetime whose parts ``_datetime_parts`` returned."""
    text, fold, zone = parts
    return datetime.fromisoformat(text).replace(fold=fold, tzinfo=zone)


def _time_parts(value: time) -> list[str | int | tzinfo | None]:
    """Return a time of day as its ISO text without time zone, its ``fold``, and its time zone."""
    return [value.replace(tzinfo=None, fold=0).isoformat(), value.fold, value.tzinfo]


def _build_time(parts: list[Any]) -> time:
    """Create the time of day whose parts ``_time_parts`` returned."""
    text, fold, zone = parts
    return time.fromisoformat(text).replace(fold=fold, tzinfo=zone)


def _zone_key(zone: ZoneInfo) -> str:
    """Return the name of a time zone, such as ``Europe/Berlin``.

    Raises UnsavableError for a ZoneInfo that was read from a file and so has no name.
    """
    if zone.key is None:
        raise UnsavableError("a ZoneInfo without a key cannot be saved")
    return zone.key


def _timezone_parts(zone: timezone) -> list[timedelta | str]:
    """Return the arguments of ``timezone(…)``: the offset, and the name if it has one."""
    return list(zone.__getinitargs__())  # type: ignore[attr-defined]


_TYPES = (
    # texts with lone surrogates, very long integers and non-finite floats, which JSON would change or refuse
    BuiltinType(str, "str", _encode_surrogates, _decode_surrogates),
    BuiltinType(int, "int", hex, lambda text: int(text, 16)),
    BuiltinType(float, "float", repr, float),
    BuiltinType(bytes, "bytes", _encode_base64, base64.b64decode),
    BuiltinType(bytearray, "bytearray", _encode_base64, lambda text: bytearray(base64.b64decode(text))),
    BuiltinType(complex, "complex", lambda value: [value.real, value.imag], lambda parts: complex(*parts)),
    BuiltinType(Decimal, "decimal", str, Decimal),
    BuiltinType(date, "date", date.isoformat, date.fromisoformat),
    BuiltinType(datetime, "datetime", _datetime_parts, _build_datetime),
    BuiltinType(time, "time", _time_parts, _build_time),
    BuiltinType(
        timedelta, "timedelta", lambda one: [one.days, one.seconds, one.microseconds], lambda parts: timedelta(*parts)
    ),
    BuiltinType(timezone, "timezone", _timezone_parts, lambda parts: timezone(*parts)),
    BuiltinType(ZoneInfo, "zone", _zone_key, ZoneInfo),
    BuiltinType(UUID, "uuid", str, UUID),
    BuiltinType(type(Path()), "path", str, Path),
    BuiltinType(PurePosixPath, "posixpath", str, PurePosixPath),
    BuiltinType(PureWindowsPath, "windowspath", str, PureWindowsPath),
    BuiltinType(range, "range", lambda one: [one.start, one.stop, one.step], lambda parts: range(*parts)),
)

BUILTIN_TYPES: Mapping[type, BuiltinType] = MappingProxyType({one.type: one for one in _TYPES})
"""The conversion for each supported type."""

BUILDERS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {one.tag: one.build for one in _TYPES} | {"tuple": tuple, "set": set, "frozenset": frozenset, "dict": dict}
)
"""For each tag (the name of a type in JSON text) the function that creates a value from its parts.

Tuples, sets and dictionaries are included, although they have no entry in BUILTIN_TYPES.
"""
