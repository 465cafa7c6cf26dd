"""JSON texts of files: what is wrong is told with its place in the text, or in the value.

Rules: only what RFC 8259 knows is read and written: NaN and infinite numbers are refused in both directions.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from taskrun.tags.file_read import FileError

_STRING_OR_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*"|(-?Infinity|NaN)', re.DOTALL)
_SIMPLE = (str, int, float, bool, type(None))


class _NoJsonNumber(Exception):
    """NaN or Infinity in a JSON text; its place is looked for afterwards."""


def from_json(path: str, text: str) -> Any:
    """Return the value of a JSON text; FileError says file:line:column of what is wrong."""
    if not text.strip(" \t\r\n"):
        raise FileError(f"{path}:1:1: the file is empty: the shortest JSON value is null")
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise FileError(f"{path}:{error.lineno}:{error.colno}: this is not JSON: {error.msg}") from None
    except _NoJsonNumber:
        place = _place_of_constant(path, text)
        raise FileError(f"{place}: NaN and Infinity are no JSON: null stands for no number") from None
    except RecursionError:
        raise FileError(f"{path}: the JSON is nested too deeply to be read") from None
    except ValueError as error:  # a number of more digits than Python converts
        raise FileError(f"{path}: the JSON cannot be read: {error}") from None


def to_json(path: str, value: Any, indent: int | None) -> str:
    """Return ``value`` as JSON; FileError says where in it something is that JSON does not have."""
    try:
        return json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        wrong = None if isinstance(error, RecursionError) else _first_wrong(value)
        raise FileError(f"{path!r} cannot be written: {wrong or error or 'the value is nested too deeply'}") from None


def _refuse(constant: str) -> Any:
    raise _NoJsonNumber(constant)


def _place_of_constant(path: str, text: str) -> str:
    # up to the first constant the text was read as JSON, so that skipping strings is enough to find it
    found = next(match for match in _STRING_OR_CONSTANT.finditer(text) if match[1])
    error = json.JSONDecodeError("", text, found.start())
    return f"{path}:{error.lineno}:{error.colno}"


def _first_wrong(value: Any) -> str | None:
    """Return what is wrong with the first part of ``value`` that JSON does not have, None when nothing is found."""
    try:
        return next(_wrong_parts(value, "value", frozenset()), None)
    except RecursionError:
        return None


def _wrong_parts(value: Any, place: str, above: frozenset[int]) -> Iterator[str]:
    inside = above | {id(value)}
    if isinstance(value, dict | list | tuple) and id(value) in above:
        yield f"{place} contains itself"
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, _SIMPLE):
                yield f"{place} has a key that is a {type(key).__name__}: {key!r}"
            yield from _wrong_parts(key, f"the key {key!r} of {place}", inside)
            yield from _wrong_parts(item, f"{place}[{key!r}]", inside)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _wrong_parts(item, f"{place}[{index}]", inside)
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{place} is {value}, which JSON does not have: null stands for no number"
    elif not isinstance(value, _SIMPLE):
        yield f"{place} is a {type(value).__name__}: JSON has dicts, lists, texts, numbers, booleans and None"
