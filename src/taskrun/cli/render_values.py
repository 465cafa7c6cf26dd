"""What is recorded, as people and programs read it: values without their tags, texts in one line, errors.

Rules: no class of a recorded value is looked up and no codec is asked, so everything can be shown everywhere. What was
recorded as JSON of its own stays as it is; see ``codec.codec`` for the tags.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from taskrun.cli.json_value import json_value
from taskrun.codec.builtin_types import BUILDERS
from taskrun.codec.codec import TAG, Codecs
from taskrun.core.journal import ErrorRecord
from taskrun.errors import StoreError

SHORT = 100
"""How many characters of a value a line shows."""

_SEQUENCES = ("tuple", "set", "frozenset")
_AS_THEY_ARE = ("int", "float", "bytes", "bytearray", "zone")
"""The tags whose values are recorded as text that can be read: hexadecimal, nan or inf, base64, a name."""


def readable(recorded: str | None) -> Any:
    """Return the plain JSON of a recorded value: dates as ISO text, sets as arrays, objects of classes as their fields.

    >>> readable('{"when":{"$":"date","v":"2026-02-03"},"ids":{"$":"tuple","v":[1,2]}}')
    {'when': '2026-02-03', 'ids': [1, 2]}
    """
    if recorded is None:
        return None
    try:
        return _plain(json.loads(recorded))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise StoreError(f"a recorded value is damaged: {type(error).__name__}: {error}") from error


def _plain(data: Any) -> Any:
    if isinstance(data, list):
        return [_plain(one) for one in data]
    if not isinstance(data, Mapping):
        return data
    if data.get(TAG) is None:
        return {name: _plain(one) for name, one in data.items()}
    return _tagged(data, data[TAG], data["v"])


def _tagged(data: Mapping[str, Any], tag: str, made_of: Any) -> Any:
    """Return what is shown for a value with a tag."""
    if tag == "dict":
        return {_name(_plain(key)): _plain(one) for key, one in made_of}
    if tag not in BUILDERS or tag in _SEQUENCES or tag in _AS_THEY_ARE:
        return _plain(made_of)
    value = Codecs().loads(json.dumps(data))
    try:
        return str(value) if isinstance(value, range) else json_value(value)
    except ValueError:  # it has no JSON form of its own
        return str(value)


def _name(key: Any) -> str:
    return key if isinstance(key, str) else json.dumps(key, ensure_ascii=False)


def in_short(recorded: str | None) -> str:
    """Return a recorded value as JSON in one line that is not long, ``""`` for None."""
    return "" if recorded is None else one_line(json.dumps(readable(recorded), ensure_ascii=False), SHORT)


def one_line(text: str, longest: int | None = None) -> str:
    r"""Return a text in one line, without what a terminal takes for orders; cut at ``longest`` characters.

    >>> one_line("a\n\x1b[31mb"), one_line("abcdef", 4)
    ('a \\x1b[31mb', 'abc…')
    """
    enough = None if longest is None else 4 * longest  # what is cut need not be looked at
    line = printable(" ".join(text[:enough].split()))
    if longest is None or (len(line) <= longest and len(text) <= 4 * longest):
        return line
    return line[: longest - 1] + "…"


def printable(text: str) -> str:
    """Return a text with escapes in place of what cannot be printed."""
    return text if text.isprintable() else "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def error_lines(error: ErrorRecord, *, verbose: bool) -> Iterator[str]:
    """Yield the lines that tell of an error: its notes, where it came from, the members of a group, its traceback."""
    yield one_line(str(error))
    for note in error.notes:
        yield f"    {one_line(note)}"
    if verbose:
        for line in error.traceback.splitlines():
            yield f"    {printable(line)}"
    for member in error.group:
        for number, line in enumerate(error_lines(member, verbose=verbose)):
            yield ("  | " if not number else "    ") + line
    if error.cause is not None:
        first, *rest = error_lines(error.cause, verbose=verbose)
        yield f"  from {first}"
        yield from (f"  {line}" for line in rest)


def error_json(error: ErrorRecord | None, *, verbose: bool) -> dict[str, Any] | None:
    """Return an error for programs; tracebacks only when they were asked for."""
    if error is None:
        return None
    shown: dict[str, Any] = {"kind": error.kind, "message": error.message, "notes": list(error.notes)}
    if verbose:
        shown["traceback"] = error.traceback
    shown["cause"] = error_json(error.cause, verbose=verbose)
    shown["group"] = [error_json(member, verbose=verbose) for member in error.group]
    return shown
