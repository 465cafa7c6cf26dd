"""The environment of a process: that of this one, and the inputs of a step.

Rules: text is given as it is, a number as text, a boolean as ``true`` or ``false``, a date in ISO form, a list or a
mapping as JSON. None unsets the variable. Anything else is an error, because its text would mean nothing to a shell.
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

MOST = 131_071
"""How many bytes a variable may have with its name; the operating system takes no more."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def is_variable(name: str) -> bool:
    """Whether a variable of a shell can have that name.

    >>> is_variable("folder"), is_variable("größe"), is_variable("2nd")
    (True, False, False)
    """
    return _NAME.fullmatch(name) is not None


def environment(inputs: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment with the inputs in it; raises TypeError or ValueError naming the input that cannot be."""
    variables = dict(os.environ)
    for name, value in inputs.items():
        if value is None:
            variables.pop(name, None)
        else:
            variables[name] = _checked(name, _text(name, value))
    return variables


def _text(name: str, value: Any) -> str:
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
        f"the input '{name}' is a value of type '{kind}', which a shell cannot be given; make text of it before"
    )


def _checked(name: str, text: str) -> str:
    if "\0" in text:
        raise ValueError(f"the input '{name}' has a NUL character, which no variable of a shell can hold")
    try:
        size = len(os.fsencode(text)) + len(name) + 1
    except UnicodeEncodeError as error:
        raise ValueError(f"the input '{name}' has a character that cannot be encoded: {error}") from None
    if size > MOST:
        raise ValueError(
            f"the input '{name}' has {size:,} bytes; a variable of a shell takes {MOST:,}: give it the name of a file"
        )
    return text
