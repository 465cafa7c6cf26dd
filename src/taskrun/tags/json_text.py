"""Conversion of JSON text to values and back, with errors that name the place in the text or in the value.

Rules: only JSON of RFC 8259 is read and written; NaN and infinite numbers are refused in both directions.
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


class _NonFiniteNumberError(Exception):
    """Raised while a JSON text is parsed that contains NaN or Infinity, which are not JSON."""


def from_json(path: str, text: str) -> Any:
    """Return the value of a JSON text; raises FileError with file:line:column for malformed text."""
    if not text.strip(" \t\r\n"):
        raise FileError(f"{path}:1:1: the file is empty: the shortest JSON value is null")
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise FileError(f"{path}:{error.lineno}:{error.colno}: this is not JSON: {error.msg}") from None
    except _NonFiniteNumberError:
        place = _constant_location(path, text)
        raise FileError(f"{place}: NaN and Infinity are not JSON: use null") from None
    except RecursionError:
        raise FileError(f"{path}: the JSON is nested too deeply to be read") from None
    except ValueError as error:  # a number with more digits than Python accepts
        raise FileError(f"{path}: the JSON cannot be read: {error}") from None


def to_json(path: str, value: Any, indent: int | None) -> str:
    """Return a value as JSON text.

    Raises FileError, with the place in the value, for a part that JSON does not support.
    """
    try:
        return json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        wrong = None if isinstance(error, RecursionError) else _first_unsupported(value)
        raise FileError(f"{path!r} cannot be written: {wrong or error or 'the value is nested too deeply'}") from None


def _refuse_constant(constant: str) -> Any:
    """Raise _NonFiniteNumberError; ``json.loads`` calls this function for NaN and Infinity."""
    raise _NonFiniteNumberError(constant)


def _constant_location(path: str, text: str) -> str:
    """Return file:line:column of the first NaN or Infinity in a JSON text."""
    # the text up to the first constant is valid JSON, so it suffices to skip strings
    found = next(match for match in _STRING_OR_CONSTANT.finditer(text) if match[1])
    error = json.JSONDecodeError("", text, found.start())
    return f"{path}:{error.lineno}:{error.colno}"


def _first_unsupported(value: Any) -> str | None:
    """Return the message about the first part of a value that JSON does not support; None if none is found."""
    try:
        return next(_unsupported_parts(value, "value", frozenset()), None)
    except RecursionError:
        return None


def _unsupported_parts(value: Any, place: str, above: frozenset[int]) -> Iterator[str]:
    """Yield a message for each part of a value that JSON does not support.

    ``place`` is the position of ``value`` in the whole value, such as ``value['a'][0]``; ``above`` has the ids of the
    lists and dicts around it, to detect a value that contains itself.
    """
    inside = above | {id(value)}
    if isinstance(value, dict | list | tuple) and id(value) in above:
        yield f"{place} contains itself"
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, _SIMPLE):
                yield f"{place} has a key that is a {type(key).__name__}: {key!r}"
            yield from _unsupported_parts(key, f"the key {key!r} of {place}", inside)
            yield from _unsupported_parts(item, f"{place}[{key!r}]", inside)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _unsupported_parts(item, f"{place}[{index}]", inside)
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{place} is {value}, which JSON does not support: use None"
    elif not isinstance(value, _SIMPLE):
        yield f"{place} is a {type(value).__name__}: JSON has dicts, lists, texts, numbers, booleans and None"
