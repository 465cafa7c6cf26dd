"""Rendering of recorded values and errors for people and programs.

Rules: a recorded value contains tags, such as ``{"$": "date", "v": "2026-02-03"}``, by which the codec restores it
(``codec.codec``). Here the tags are only removed. No class of the value is imported and no codec of another package is
used, so that any store can be shown on any machine.
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

MAX_VALUE_LENGTH = 100
"""Number of characters of a value that are shown in a line."""

_SEQUENCE_TAGS = ("tuple", "set", "frozenset")
_TEXT_TAGS = ("int", "float", "bytes", "bytearray", "zone")
"""Tags whose values are recorded as readable text: hexadecimal digits, nan or inf, base64, a name."""


def untagged(recorded: str | None) -> Any:
    """Return a recorded value as plain JSON: dates as ISO text, sets as arrays, objects of classes as their fields.

    Raises StoreError when the recorded text is damaged; None stays None.

    >>> untagged('{"when":{"$":"date","v":"2026-02-03"},"ids":{"$":"tuple","v":[1,2]}}')
    {'when': '2026-02-03', 'ids': [1, 2]}
    """
    if recorded is None:
        return None
    try:
        return _remove_tags(json.loads(recorded))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise StoreError(f"a recorded value is damaged: {type(error).__name__}: {error}") from error


def _remove_tags(data: Any) -> Any:
    if isinstance(data, list):
        return [_remove_tags(one) for one in data]
    if not isinstance(data, Mapping):
        return data
    if data.get(TAG) is None:
        return {name: _remove_tags(one) for name, one in data.items()}
    return _untagged_value(data, data[TAG], data["v"])


def _untagged_value(data: Mapping[str, Any], tag: str, content: Any) -> Any:
    """Return the plain JSON of the tagged value ``data``, whose members are ``tag`` and ``content``."""
    if tag == "dict":
        return {_member_name(_remove_tags(key)): _remove_tags(one) for key, one in content}
    if tag not in BUILDERS or tag in _SEQUENCE_TAGS or tag in _TEXT_TAGS:
        return _remove_tags(content)
    value = Codecs().loads(json.dumps(data))
    try:
        return str(value) if isinstance(value, range) else json_value(value)
    except ValueError:  # values without JSON form, such as complex numbers
        return str(value)


def _member_name(key: Any) -> str:
    return key if isinstance(key, str) else json.dumps(key, ensure_ascii=False)


def abbreviate(recorded: str | None) -> str:
    """Return a recorded value as one line of JSON of at most MAX_VALUE_LENGTH characters, ``""`` for None."""
    return "" if recorded is None else one_line(json.dumps(untagged(recorded), ensure_ascii=False), MAX_VALUE_LENGTH)


def one_line(text: str, longest: int | None = None) -> str:
    r"""Return a text as one line without control characters, cut to ``longest`` characters.

    >>> one_line("a\n\x1b[31mb"), one_line("abcdef", 4)
    ('a \\x1b[31mb', 'abc…')
    """
    enough = None if longest is None else 4 * longest  # do not escape megabytes that are cut anyway
    line = escape_unprintable(" ".join(text[:enough].split()))
    if longest is None or (len(line) <= longest and len(text) <= 4 * longest):
        return line
    return line[: longest - 1] + "…"


def escape_unprintable(text: str) -> str:
    """Return a text with escapes in place of its unprintable characters, which could control a terminal."""
    return text if text.isprintable() else "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def error_lines(error: ErrorRecord, *, verbose: bool) -> Iterator[str]:
    """Yield the lines that show an error: its message, its notes, the members of an exception group, and its cause.

    With ``verbose`` the traceback follows the notes.
    """
    yield one_line(str(error))
    for note in error.notes:
        yield f"    {one_line(note)}"
    if verbose:
        for line in error.traceback.splitlines():
            yield f"    {escape_unprintable(line)}"
    for member in error.group:
        for number, line in enumerate(error_lines(member, verbose=verbose)):
            yield ("  | " if not number else "    ") + line
    if error.cause is not None:
        first, *rest = error_lines(error.cause, verbose=verbose)
        yield f"  from {first}"
        yield from (f"  {line}" for line in rest)


def error_json(error: ErrorRecord | None, *, verbose: bool) -> dict[str, Any] | None:
    """Return an error as a JSON object, with its traceback if ``verbose``; None if there is no error."""
    if error is None:
        return None
    shown: dict[str, Any] = {"kind": error.kind, "message": error.message, "notes": list(error.notes)}
    if verbose:
        shown["traceback"] = error.traceback
    shown["cause"] = error_json(error.cause, verbose=verbose)
    shown["group"] = [error_json(member, verbose=verbose) for member in error.group]
    return shown
