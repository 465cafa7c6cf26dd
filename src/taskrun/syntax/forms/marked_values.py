"""What a YAML and a JSON file are made of, before it is known what it means: scalars, lists and maps with their places.

Rules: a scalar is its text and nothing else: ``012``, ``yes`` and ``1.50`` are these words; only an empty or ``null`` plain
scalar is special, it is nothing at all. Offsets count characters of the file; those of a character inside a scalar are
worked out when an error asks for them. An aliased part is the same object at both places, with the place of its anchor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

NULLS = frozenset({"", "~", "null", "Null", "NULL"})
JSON = "json"
"""The style of a string in a JSON file, which has no line ends in it, but all other characters."""
BREAKS = "\r\n\x85\u2028\u2029"  # what YAML takes for the end of a line

_INK = re.compile(r"[^ \t\r\n\x85\u2028\u2029]+")
_SINGLE = re.compile(r"''|[ \t]*(?:\r\n|[\r\n\x85\u2028\u2029])\s*|.", re.DOTALL)
_DOUBLE = re.compile(
    r"""\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\x..|\\u.{4}|\\U.{8}|\\(?:\r\n|[\r\n\x85\u2028\u2029])[ \t]*
    |\\.|[ \t]*(?:\r\n|[\r\n\x85\u2028\u2029])\s*|.""",
    re.DOTALL | re.VERBOSE,
)
_JSON = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u.{4}|\\.|.", re.DOTALL)
_BREAK = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")


class Scalar(NamedTuple):
    """A text; ``style`` is ``'``, ``"``, ``|``, ``>``, ``json``, ``!`` for a plain one with the tag of a text, else empty."""

    text: str
    start: int
    end: int
    style: str = ""

    @property
    def nothing(self) -> bool:
        """Whether this is ``null``, ``~`` or not there at all."""
        return not self.style and self.text in NULLS

    def offsets(self, text: str) -> Sequence[int]:
        """Return where each character of the scalar stands in ``text``, that of the file, and where it ends."""
        if self.style == "'":
            return _walk(_SINGLE, text, self)
        if self.style == '"':
            return _walk(_DOUBLE, text, self)
        if self.style == JSON:
            return _walk(_JSON, text, self)
        start = self.start
        if self.style in {"|", ">"}:  # behind the line of the indicator
            found = _BREAK.search(text, start)
            start = found.end() if found else self.end
        return _align(self.text, text, start, self.end)

    def offset(self, index: int, text: str) -> int:
        """Return where character ``index`` (from 0) of the scalar stands in ``text``."""
        offsets = self.offsets(text)
        return offsets[min(index, len(offsets) - 1)]


class Items(NamedTuple):
    """A list."""

    values: Sequence[Value]
    start: int


class Entries(NamedTuple):
    """A map, in the order of the file."""

    pairs: Sequence[tuple[Scalar, Value]]
    start: int

    def get(self, name: str) -> Value | None:
        """Return the value of a key, or None."""
        return next((value for key, value in self.pairs if key.text == name), None)


Value: TypeAlias = Scalar | Items | Entries


def scalars(value: Value) -> Iterator[Scalar]:
    """Yield every scalar of a value, in the order of the file."""
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
    """Return the offsets for a quoted scalar: every piece of the file stands for some characters."""
    offsets = []
    for piece in pieces.finditer(text, scalar.start + 1, scalar.end - 1):
        raw = piece[0]
        count = 1
        if breaks := len(_BREAK.findall(raw)):
            count = 0 if raw[0] == "\\" else max(1, breaks - 1)
        offsets += [piece.start()] * count
    return [*offsets, scalar.end - 1]


def _align(value: str, text: str, start: int, end: int) -> list[int]:
    """Return the offsets for a plain or block scalar, whose ink stands in the file as it is.

    White space is counted from the ink before it on the same line, else from the ink behind it.
    """
    offsets: list[int] = []
    last = start - 1
    for ink in _INK.finditer(value):
        following = _INK.search(text, last + 1, end)
        if following is None:
            break
        offsets += _between(value[len(offsets) : ink.start()], last + 1, following.start())
        offsets += range(following.start(), following.start() + len(ink[0]))
        last = offsets[-1]
    offsets += _between(value[len(offsets) :], last + 1, end)
    return [*offsets, min(last + 1, end)]


def _between(white: str, start: int, end: int) -> Iterator[int]:
    """Yield the offsets of white space that stands for what the file has from ``start`` to ``end``."""
    last_break = max(map(white.rfind, BREAKS))
    for index in range(len(white)):
        yield min(start + index, end) if index <= last_break or last_break < 0 else max(end - len(white) + index, start)
