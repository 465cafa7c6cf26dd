"""Values of a YAML or JSON file with their offsets in the file: scalars, lists and maps.

Rules: a scalar is kept as its text: ``012``, ``yes`` and ``1.50`` are not converted. Only an unquoted scalar that is
empty or ``null`` is special: it counts as missing. Offsets count characters of the file. The offsets of the characters
inside a scalar are computed only when an error needs them. A YAML alias is the same object as its anchor, with the
anchor's offset.
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
    """Scalar value: its text, and the offsets in the file at which it starts and ends.

    ``style`` tells how it is written. It is ``'``, ``"``, ``|`` or ``>`` as in YAML, and ``json`` for a string of JSON.
    It is ``!`` for an unquoted scalar with the tag ``!!str``, and empty for any other unquoted scalar.
    """

    text: str
    start: int
    end: int
    style: str = ""

    @property
    def nothing(self) -> bool:
        """Whether the value counts as missing: it is an unquoted ``null`` or ``~``, or empty."""
        return not self.style and self.text in NULLS

    def offsets(self, text: str) -> Sequence[int]:
        """Return the offset in the file of each character of the scalar, and last that of its end.

        ``text`` is the text of the file. A character of the scalar may be written as several, such as an escape.
        """
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
        """Return the offset in ``text``, the text of the file, of character ``index`` (from 0) of the scalar."""
        offsets = self.offsets(text)
        return offsets[min(index, len(offsets) - 1)]


class Items(NamedTuple):
    """List of values; ``start`` is its offset in the file."""

    values: Sequence[Value]
    start: int


class Entries(NamedTuple):
    """Map of scalars to values, in the order of the file; ``start`` is its offset in the file."""

    pairs: Sequence[tuple[Scalar, Value]]
    start: int

    def get(self, name: str) -> Value | None:
        """Return the value of a key, or None if the map has no such key."""
        return next((value for key, value in self.pairs if key.text == name), None)


Value: TypeAlias = Scalar | Items | Entries


def _walk(pieces: re.Pattern[str], text: str, scalar: Scalar) -> list[int]:
    """Return the offset of each character of a quoted scalar, and last that of its closing quote.

    ``pieces`` is a pattern; each match of it in the file is one escape, one folded line end or one character.
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
    """Return the offset of each character of ``value``, an unquoted or block scalar, and last that of its end.

    The words of such a scalar are in the file unchanged, only the white space between them may differ. White space has
    offsets counted from the word before it on the same line, else from the word behind it.
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
    """Yield an offset in the file for each character of ``white``, the white space between two words of a scalar.

    In the file it may be written with other characters, because lines are folded or indented; it is between the offsets
    ``start`` and ``end``.
    """
    last_break = max(map(white.rfind, BREAKS))
    for index in range(len(white)):
        yield min(start + index, end) if index <= last_break or last_break < 0 else max(end - len(white) + index, start)
