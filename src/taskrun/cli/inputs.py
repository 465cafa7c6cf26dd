"""The inputs of a run, from the command line.

    --input x=1           converted to the input's type; without one: JSON if it is JSON, else text
    --input x=@notes.txt  the text of a file (``@@`` for a text that begins with ``@``)
    --inputs file.json    a JSON object; ``-`` reads it from standard input

Rules: ``--input`` wins over ``--inputs``; giving one name twice is an error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskrun.errors import InputError

if TYPE_CHECKING:
    from taskrun.core.flow import Flow
    from taskrun.result import WaitPoint


def typed_inputs(flow: Flow, waiting: Iterable[WaitPoint] = ()) -> set[str]:
    """Return the names of the inputs that have a type: those of a flow, and of what a run of it waits for."""
    asked = {item.name: item.type for place in waiting for item in place.asked}
    return {name for name, kind in asked.items() if kind} | {
        item.name for item in flow.model.inputs if item.type is not None and item.name not in asked
    }


def read_inputs(typed: Collection[str], pairs: Iterable[str], file: str | None) -> dict[str, Any]:
    """Return the inputs that are given, of which some are ``typed``; raises InputError with all that is wrong with them."""
    inputs = {} if file is None else _object(file)
    problems: list[str] = []
    given: set[str] = set()
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            problems.append(f"--input {pair}: write NAME=VALUE")
        elif name in given:
            problems.append(f"--input {name} is given twice")
        else:
            given.add(name)
            try:
                inputs[name] = input_value(text, typed=name in typed)
            except ValueError as error:
                problems.append(f"--input {name}: {error}")
    if problems:
        raise InputError(problems)
    return inputs


def input_value(text: str, *, typed: bool) -> Any:
    """Return what a text behind ``NAME=`` means; raises ValueError when it names a file that cannot be read."""
    if text.startswith("@@"):
        text = text[1:]
    elif text.startswith("@"):
        try:
            text = Path(text[1:]).read_text(encoding="utf-8")
        except OSError as error:
            raise ValueError(f"cannot read '{text[1:]}': {error.strerror or error}") from None
        except UnicodeDecodeError:
            raise ValueError(f"'{text[1:]}' is not UTF-8 text") from None
    if typed:
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _object(file: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        value = json.loads(text)
    except OSError as error:
        raise InputError([f"--inputs {file}: {error.strerror or error}"]) from None
    except (ValueError, RecursionError) as error:
        raise InputError([f"--inputs {file}: not JSON: {error}"]) from None
    if not isinstance(value, Mapping):
        raise InputError([f"--inputs {file}: a JSON object is expected, with the inputs by name"])
    return dict(value)
