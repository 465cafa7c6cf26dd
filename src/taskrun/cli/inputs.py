"""Inputs of a run from the command line.

    --input x=1           converted to the declared type; without a type parsed as JSON, or text if it is not JSON
    --input x=@notes.txt  the text of a file (``@@`` for a text that begins with ``@``)
    --inputs file.json    a JSON object; ``-`` reads it from standard input

Rules: ``--input`` overrides ``--inputs``; the same name in two ``--input`` options is an error.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskrun.errors import InputError

if TYPE_CHECKING:
    from taskrun.core.flow import Flow
    from taskrun.result import WaitPoint


def add_input_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--input`` and ``--inputs``."""
    text = "an input; NAME=@FILE reads the text of a file"
    parser.add_argument("--input", action="append", default=[], metavar="NAME=VALUE", help=text)
    parser.add_argument("--inputs", metavar="FILE", help="inputs as a JSON object; - is standard input")


def typed_input_names(flow: Flow, wait_points: Iterable[WaitPoint] = ()) -> set[str]:
    """Return the names of the inputs that have a declared type, so that their texts need not be parsed as JSON.

    If a wait point requests an input, its declaration there counts, otherwise that of the flow.
    """
    requested = {item.name: item.type for point in wait_points for item in point.requested}
    return {name for name, kind in requested.items() if kind} | {
        item.name for item in flow.model.inputs if item.type is not None and item.name not in requested
    }


def read_inputs(arguments: argparse.Namespace, typed: Collection[str]) -> dict[str, Any]:
    """Return the inputs of ``--input`` and ``--inputs`` by name.

    Parameters:
        arguments: the parsed options.
        typed: the names of the inputs that have a type; their values stay text, which the run converts.

    Raises InputError, which lists all problems of the options.
    """
    inputs = {} if arguments.inputs is None else _read_json_object(arguments.inputs)
    problems: list[str] = []
    given: set[str] = set()
    for pair in arguments.input:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            problems.append(f"--input {pair}: expected NAME=VALUE")
        elif name in given:
            problems.append(f"--input {name} is given twice")
        else:
            given.add(name)
            try:
                inputs[name] = parse_input_value(text, typed=name in typed)
            except ValueError as error:
                problems.append(f"--input {name}: {error}")
    if problems:
        raise InputError(problems)
    return inputs


def parse_input_value(text: str, *, typed: bool) -> Any:
    """Return the value of ``text``, the part of ``--input NAME=VALUE`` behind the equals sign.

    ``@FILE`` is replaced by the text of the file. If ``typed``, the text itself is returned; otherwise it is parsed as
    JSON, and returned as text if it is not JSON. Raises ValueError for a file that cannot be read.
    """
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


def _read_json_object(file: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        value = json.loads(text)
    except OSError as error:
        raise InputError([f"--inputs {file}: {error.strerror or error}"]) from None
    except (ValueError, RecursionError) as error:
        raise InputError([f"--inputs {file}: not JSON: {error}"]) from None
    if not isinstance(value, Mapping):
        raise InputError([f"--inputs {file}: expected a JSON object with the inputs by name"])
    return dict(value)
