"""Environment variables of a shell script: those of this process, and the inputs of the step.

Rules: each input becomes a variable of its name. Text is passed unchanged, a number as text, a boolean as ``true`` or
``false``, a date in ISO format, a list or mapping as JSON. An input with the value None removes the variable of its
name. A value of any other type is an error, because a shell cannot use its text.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import PurePath
from typing import Any

MAX_VARIABLE_BYTES = 131_071
"""The most bytes of a variable including its name, which Linux limits."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def is_variable_name(name: str) -> bool:
    """Return whether a shell accepts this name for a variable: letters a-z, digits and ``_``, no digit at first.

    >>> is_variable_name("folder"), is_variable_name("größe"), is_variable_name("2nd")
    (True, False, False)
    """
    return _NAME.fullmatch(name) is not None


def environment(inputs: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment of this process as a dict, with inputs added as variables.

    Raises TypeError or ValueError, which name the input, for a value that cannot be a variable.
    """
    variables = dict(os.environ)
    for name, value in inputs.items():
        if value is None:
            variables.pop(name, None)
        else:
            variables[name] = _check_variable(name, _text(name, value))
    return variables


def _text(name: str, value: Any) -> str:
    """Return the text of an input for a variable; raises TypeError for a value of an unsupported type."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int | float | Decimal | PurePath):
        return str(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, list | tuple | Mapping):
        try:
            return json.dumps(dict(value) if isinstance(value, Mapping) else value, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise TypeError(f"the input '{name}' cannot be written as JSON for the shell: {error}") from None
    kind = type(value).__name__
    raise TypeError(
        f"the input '{name}' is a value of type '{kind}', which a shell cannot use; convert it to text before"
    )


def _check_variable(name: str, text: str) -> str:
    """Return the text unchanged; raises ValueError if the operating system would refuse a variable with it."""
    if "\0" in text:
        raise ValueError(f"the input '{name}' has a NUL character, which a shell variable cannot contain")
    try:
        size = len(os.fsencode(text)) + len(name) + 1
    except UnicodeEncodeError as error:
        raise ValueError(f"the input '{name}' has a character that cannot be encoded: {error}") from None
    if size > MAX_VARIABLE_BYTES:
        raise ValueError(
            f"the input '{name}' has {size:,} bytes; a shell variable can have {MAX_VARIABLE_BYTES:,}: pass a file name"
        )
    return text
