"""Values of a YAML or JSON file with their offsets: scalars, lists and maps.

Rules: the value of a scalar is its text: ``012``, ``yes`` and ``1.50`` are not converted; only an empty or ``null`` plain
scalar is special: it counts as missing. Offsets count characters of the file; those of the characters inside a scalar are
computed only when an error needs them. A YAML alias is the same object as its anchor, with the anchor's offset.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

NULLS = frozenset({"", "~", "null", "Null", "NULL"})
JSON = "json"
"""Style of a string in a JSON file: it has no raw line ends, so nothing in it is folded."""
BREAKS = "\r\n\x85\u2028\u2029"  # all line ends of YAML

_WORD = re.compile(r"[^ \t\r\n\x85\u2028\u2029]+")
_SINGLE = re.compile(r"''|[ \t]*(?:\r\n|[\r\n\x85\u2028\u2029])\s*|.", re.DOTALL)
_DOUBLE = re.compile(
    r"""\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\x..|\\u.{4}|\\U.{8}|\\(?:\r\n|[\r\n\x85\u2028\u2029])[ \t]*
    |\\.|[ \t]*(?:\r\n|[\r\n\x85\u2028\u2029])\s*|.""",
    re.DOTALL | re.VERBOSE,
)
_JSON = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u.{4}|\\.|.", re.DOTALL)
_BREAK = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")


class Scalar(NamedTuple):
    """Scalar value: its text, and the offsets of its start and end in the file.

    ``style`` is ``'``, ``"``, ``|`` or ``>`` as in YAML, ``json`` for a string of JSON, ``!`` for a plain scalar with
    the tag of a string, and empty for any other plain scalar.
    """

    text: str
    start: int
    end: int
    style: str = ""

    @property
    def nothing(self) -> bool:
        """Whether this is a plain ``null``, ``~`` or an empty value."""
        return not self.style and self.text in NULLS

    def offsets(self, text: str) -> Sequence[int]:
        """Return the offset of each character of the scalar in ``text``, the text of the file, and that of its end."""
        if self.style == "'":
            return _walk(_SINGLE, text, self)
        if self.style == '"':
            return _walk(_DOUBLE, text, self)
        if self.style == JSON:
            return _walk(_JSON, text, self)
        start = self.start
        if self.style in {"|", ">"}:  # the content begins behind the line of the indicator
            found = _BREAK.search(text, start)
            start = found.end() if found else self.end
        return _align(self.text, text, start, self.end)

    def offset(self, index: int, text: str) -> int:
        """Return the offset of character ``index`` (from 0) of the scalar in ``text``, the text of the file."""
        offsets = self.offsets(text)
        return offsets[min(index, len(offsets) - 1)]


class Items(NamedTuple):
    """List of values."""

    values: Sequence[Value]
    start: int


class Entries(NamedTuple):
    """Map of scalars to values, in the order of the file."""

    pairs: Sequence[tuple[Scalar, Value]]
    start: int

    def get(self, name: str) -> Value | None:
        """Return the value of a key, or None if the map has no such key."""
        return next((value for key, value in self.pairs if key.text == name), None)


Value: TypeAlias = Scalar | Items | Entries


def scalars(value: Value) -> Iterator[Scalar]:
    """Yield every scalar inside a value, in the order of the file."""
    todo = [value]
    while todo:
        match todo.pop():
            case Scalar() as scalar:
                yield scalar
            case Items(values):
                todo.extend(reversed(values))
            case Entries(pairs):
                todo.extend(part for pair in reversed(pairs) for part in reversed(pair))


def _walk(pieces: re.Pattern[str], text: str, scalar: Scalar) -> list[int]:
    """Return the offset of each character of a quoted scalar.

    Each match of ``pieces`` in the file is one escape, one line fold or one character.
    """
    offsets = []
    for piece in pieces.finditer(text, scalar.start + 1, scalar.end - 1):
        raw = piece[0]
        count = 1
        if breaks := len(_BREAK.findall(raw)):
            count = 0 if raw[0] == "\\" else max(1, breaks - 1)
        offsets += [piece.start()] * count
    return [*offsets, scalar.end - 1]


def _align(value: str, text: str, start: int, end: int) -> list[int]:
    """Return the offset of each character of a plain or block scalar, whose words are in the file unchanged.

    White space is counted from the word before it on the same line, else from the word behind it.
    """
    offsets: list[int] = []
    last = start - 1
    for word in _WORD.finditer(value):
        following = _WORD.search(text, last + 1, end)
        if following is None:
            break
        offsets += _between(value[len(offsets) : word.start()], last + 1, following.start())
        offsets += range(following.start(), following.start() + len(word[0]))
        last = offsets[-1]
    offsets += _between(value[len(offsets) :], last + 1, end)
    return [*offsets, min(last + 1, end)]


def _between(white: str, start: int, end: int) -> Iterator[int]:
    """Yield an offset for each white space character of ``white``, a part of a scalar.

    In the file that white space is between the offsets ``start`` and ``end``, perhaps with other characters.
    """
    last_break = max(map(white.rfind, BREAKS))
    for index in range(len(white)):
        yield min(start + index, end) if index <= last_break or last_break < 0 else max(end - len(white) + index, start)
