"""Locations in files, texts of files, and the line of a file with a caret that an error message shows.

Rules: lines and columns are counted in characters from 1, as editors do. This module knows nothing of XML or steps. A
Location is cheap to store. The exact location of an attribute, or of a character in a script, is computed only when an
error needs it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple

_NEWLINE = re.compile(r"\r\n|\r|\n")
_WIDEST_SNIPPET = 160


class Location(NamedTuple):
    """Position in a file: ``path`` as the user has written it, ``line`` and ``column`` from 1.

    >>> str(Location("flow.task.xml", 12, 5))
    'flow.task.xml:12:5'
    """

    path: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


class Source:
    """Text of one file, which converts offsets (the index of a character) to locations and back."""

    __slots__ = ("_starts", "path", "text")

    def __init__(self, path: str, text: str) -> None:
        self.path: str = path
        self.text: str = text
        self._starts: list[int] | None = None

    @property
    def starts(self) -> list[int]:
        """The offset at which each line begins, computed at the first use."""
        if self._starts is None:
            self._starts = [0, *(match.end() for match in _NEWLINE.finditer(self.text))]
        return self._starts

    def offset(self, line: int, column: int) -> int:
        """Return the index in ``text`` of the character at a line and column, both counted from 1."""
        starts = self.starts
        return starts[min(line, len(starts)) - 1] + column - 1

    def location(self, offset: int) -> Location:
        """Return the location of the character at an offset in ``text``."""
        line = bisect_right(self.starts, offset)
        return Location(self.path, line, offset - self.starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """Return the text of a line, counted from 1, without its line end; "" if there is no such line."""
        starts = self.starts
        if not 1 <= number <= len(starts):
            return ""
        end = starts[number] if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r\n")


def snippet(line: str, column: int) -> str:
    """Return a line of a file and, below it, a caret under ``column`` (from 1); a long line is cut around the caret."""
    start = max(0, column - _WIDEST_SNIPPET // 2) if len(line) > _WIDEST_SNIPPET else 0
    shown = line[start : start + _WIDEST_SNIPPET]
    padding = "".join("\t" if character == "\t" else " " for character in shown[: column - 1 - start])
    return f"    {shown}\n    {padding}^"
