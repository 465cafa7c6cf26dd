"""Types of inputs and outputs: strict conversion of values, and JSON Schema checks.

Rules: type names are those of Java (``Integer``), as in NopTaskFlow, and of Python (``int``). A conversion never loses
information: ``"3"`` becomes the int 3, ``"3.5"`` is an error. None stays None. ``List<Integer>``, ``list[int]``,
``Map<String, Integer>`` and ``dict[str, int]`` convert their items too. A ``<schema>`` needs the package jsonschema
(``pip install 'taskrun[schema]'``), which is imported when the first flow with a ``<schema>`` is compiled.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from taskrun.errors import PluginError

Convert: TypeAlias = Callable[[Any], Any]


class Type(NamedTuple):
    """Type of an input or output: its name in the file, and the function that converts a value to it.

    ``convert`` raises ValueError for a value that it cannot convert without losing information.
    """

    name: str
    convert: Convert


def _text(value: Any) -> str:
    """Convert a text, bool, number, date or time to text; raise ValueError for others."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, date | time):
        return value.isoformat()
    raise ValueError


def _int(value: Any) -> int:
    """Convert a value to an int; raise ValueError if that would lose information."""
    if isinstance(value, bool):
        raise ValueError  # noqa: TRY004 - ValueError for each conversion that is refused
    if isinstance(value, int):
        return value
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d+\s*", value):
        return int(value)
    if isinstance(value, float | Decimal) and value == (whole := int(value)):
        return whole
    raise ValueError


def _float(value: Any) -> float:
    """Convert a value to a float; raise ValueError if that would lose information."""
    if isinstance(value, bool):
        raise ValueError  # noqa: TRY004 - ValueError for each conversion that is refused
    if isinstance(value, float):
        return value
    if isinstance(value, str):
        number = float(value)
        if math.isfinite(number) or value.strip().lower().lstrip("+-") in {"inf", "infinity", "nan"}:
            return number
    if isinstance(value, int) and int(float(value)) == value:
        return float(value)
    if isinstance(value, Decimal) and (math.isfinite(number := float(value)) or not value.is_finite()):
        return number
    raise ValueError


def _bool(value: Any) -> bool:
    """Convert a bool, 0, 1, or one of the texts true, false, 1 and 0 to a bool.

    Raises KeyError for another text, ValueError for another value; ``_reporting`` turns both into a ValueError with a
    message.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False, "1": True, "0": False}[value.strip().lower()]
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    raise ValueError


def _decimal(value: Any) -> Decimal:
    """Convert a number, or the text of a number, to a Decimal.

    Raises ValueError or ArithmeticError for others; ``_reporting`` turns both into a ValueError with a message.
    """
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Decimal(repr(value))
    if isinstance(value, str):
        return Decimal(value.strip())
    raise ValueError


def _date(value: Any) -> date:
    """Convert a date, a datetime at midnight, or ISO text to a date; raise ValueError for others."""
    if isinstance(value, datetime):
        if value.time() == time():
            return value.date()
    elif isinstance(value, date):
        return value
    elif isinstance(value, str):
        return date.fromisoformat(value.strip())
    raise ValueError


def _datetime(value: Any) -> datetime:
    """Convert a datetime, a date, or ISO text to a datetime; raise ValueError for others."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    if isinstance(value, str):
        return datetime.fromisoformat(value.strip())
    raise ValueError


def _parse_json(value: Any) -> Any:
    """Parse a text as JSON and return its value; return any value that is not a text unchanged."""
    return json.loads(value) if isinstance(value, str) else value


def _list(item: Convert) -> Convert:
    """Return a function that converts a value to a list; ``item`` converts each element. JSON text is accepted."""

    def convert(value: Any) -> list[Any]:
        value = _parse_json(value)
        if isinstance(value, list | tuple | set | frozenset):
            return [None if element is None else item(element) for element in value]
        raise ValueError

    return convert


def _dict(key: Convert, item: Convert) -> Convert:
    """Return a function that converts a value to a dict; ``key`` and ``item`` convert keys and values.

    JSON text is accepted.
    """

    def convert(value: Any) -> dict[Any, Any]:
        value = _parse_json(value)
        if isinstance(value, Mapping):
            found = {key(name): None if element is None else item(element) for name, element in value.items()}
            if len(found) == len(value):  # otherwise two keys became equal
                return found
        raise ValueError

    return convert


def _any(value: Any) -> Any:
    """Return the value unchanged: the type ``any`` converts nothing."""
    return value


_SIMPLE: Mapping[str, Convert] = MappingProxyType(
    {
        **dict.fromkeys(("str", "String", "CharSequence"), _text),
        **dict.fromkeys(("int", "Integer", "Long", "Short", "BigInteger", "long"), _int),
        **dict.fromkeys(("float", "Float", "Double", "double"), _float),
        **dict.fromkeys(("bool", "Boolean", "boolean"), _bool),
        **dict.fromkeys(("decimal", "BigDecimal", "Decimal"), _decimal),
        **dict.fromkeys(("date", "LocalDate"), _date),
        **dict.fromkeys(("datetime", "LocalDateTime"), _datetime),
        **dict.fromkeys(("any", "Any", "Object"), _any),
    }
)
_LISTS = frozenset({"list", "List", "Collection"})
_MAPS = frozenset({"dict", "Map"})
NAMES = (*_SIMPLE, *sorted(_LISTS), *sorted(_MAPS))
"""The names of all types, without parameters such as ``<String>``; a message suggests a similar one."""


def type_of(text: str) -> Type | None:
    """Return the type with a name such as ``Integer`` or ``java.util.List<String>``, None if there is no such type.

    >>> type_of("List<Integer>").convert(["1", 2])
    [1, 2]
    """
    convert = _conversion(re.sub(r"\bjava\.(?:lang|util|math|time)\.", "", text).strip())
    return Type(text.strip(), _reporting(text.strip(), convert)) if convert else None


def _conversion(text: str) -> Convert | None:
    """Return the function that converts values to the type of that name, None if there is no such type.

    It raises various exceptions for a wrong value; ``_reporting`` turns them into ValueError.
    """
    head, bracket, rest = text.replace("<", "[").replace(">", "]").partition("[")
    head = head.strip()
    if not bracket:
        if head in _LISTS:
            return _list(_any)
        return _dict(_text, _any) if head in _MAPS else _SIMPLE.get(head)
    if not rest.rstrip().endswith("]"):
        return None
    inner = [_conversion(part.strip()) for part in _split(rest.rstrip()[:-1])]
    if head in _LISTS and len(inner) == 1 and inner[0]:
        return _list(inner[0])
    if head in _MAPS and len(inner) == 2 and inner[0] and inner[1]:  # noqa: PLR2004 - key and value
        return _dict(inner[0], inner[1])
    return None


def _split(text: str) -> list[str]:
    """Split the parameters of a type at their commas: ``String, List<int>`` has two.

    Commas in inner brackets do not count.
    """
    parts, depth = [""], 0
    for character in text:
        depth += {"[": 1, "]": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _reporting(name: str, convert: Convert) -> Convert:
    """Return a function like ``convert`` that raises only ValueError.

    The message has the value and the type's ``name``.
    """

    def checked(value: Any) -> Any:
        try:
            return convert(value)
        except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError):
            shown = repr(value)
            shown = shown if len(shown) <= 80 else shown[:77] + "…"  # noqa: PLR2004 - a line of an error message
            raise ValueError(f"{shown} is not of type {name}") from None

    return checked


class SchemaCheck:
    """A compiled JSON Schema, the text of a ``<schema>`` in an input or output; ``check`` tests a value."""

    __slots__ = ("_validator",)

    def __init__(self, text: str) -> None:
        """Compile the schema.

        Raises ValueError if the text is not a JSON Schema, and PluginError if the package jsonschema is not installed.
        """
        try:
            import jsonschema
        except ImportError:
            message = "<schema> needs the package jsonschema: pip install 'taskrun[schema]'"
            raise PluginError(message) from None
        schema = json.loads(text)
        validator = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
        try:
            validator.check_schema(schema)
        except jsonschema.SchemaError as error:
            raise ValueError(f"not a JSON Schema: {error.message}") from None
        self._validator = validator(schema)

    def check(self, value: Any) -> None:
        """Raise ValueError with a list of all violations if the value does not satisfy the schema."""
        problems = sorted(self._validator.iter_errors(value), key=lambda error: list(map(str, error.absolute_path)))
        if problems:
            raise ValueError("; ".join(_violation_text(error) for error in problems))


def _violation_text(error: Any) -> str:
    """Return the message of one violation, with the position inside the value such as ``['items'][3]``."""
    where = "".join(f"[{part!r}]" for part in error.absolute_path)
    return f"{where}: {error.message}" if where else str(error.message)
