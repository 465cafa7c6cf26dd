"""Conversion of CSV text to rows and back, with strict quoting and rows of equal length.

Rules: a row with more or fewer cells than the first one is an error that names the line. When rows are written, a cell
must be a text, number, boolean or None, not a list or dict. A cell that is read has at most 131072 characters: this is
the limit of Python's ``csv``, which could only be changed for the whole process.
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from taskrun.errors import near_hint
from taskrun.tags.file_read import FileError


def from_csv(path: str, text: str, delimiter: str, *, header: bool) -> list[Any]:
    """Return the rows of a CSV text: with ``header`` as dicts by the names in the first row, otherwise as lists.

    ``path`` is the file in messages. Raises FileError, with the line, for malformed text.
    """
    _check_delimiter(delimiter)
    numbered = _rows(path, text, delimiter)
    if not header:
        return [row for _, row in numbered]
    line, columns = next(numbered, (1, []))
    _check_columns(f"{path}:{line}", columns)
    return [dict(zip(columns, row, strict=True)) for _, row in numbered]


def to_csv(path: str, rows: list[Any], columns: list[str] | None, delimiter: str) -> str:
    """Return ``rows``, all dicts or all lists, as CSV text; ``columns`` are the names in the header.

    Without ``columns``, dicts have the keys of the first row as header, lists have no header. ``path`` is the file in
    messages.

    Raises FileError, which names the row, for rows that differ in their columns, and for a cell that is a list, dict or
    set.
    """
    _check_delimiter(delimiter)
    if not isinstance(rows, list | tuple):
        raise FileError(f"{path!r}: rows is a {type(rows).__name__}, not a list of rows")
    by_name = bool(rows) and isinstance(rows[0], Mapping)
    names = list(rows[0]) if by_name and columns is None else columns
    if names is not None:
        _check_columns(path, names)
    width = len(rows[0]) if rows and names is None and isinstance(rows[0], list | tuple) else len(names or ())
    text = io.StringIO(newline="")
    # with \r\n the writer quotes cells that contain either character; with \n alone it would not quote \r
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    if names is not None:
        writer.writerow(names)
    for number, row in enumerate(rows, 1):
        place = f"{path!r}: row {number}"
        cells = (
            _cells_by_name(place, row, names or [], exactly=columns is None)
            if by_name
            else _cells_in_order(place, row, width)
        )
        writer.writerow([_cell(place, cell) for cell in cells])
    return text.getvalue()


def _rows(path: str, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a CSV text, without empty ones, each with the number of its first line; raises FileError."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    width = 0
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise FileError(f"{path}:{line}: this is not CSV: {error}") from None
        if row is None:
            return
        if not row:
            continue
        width = width or len(row)
        if len(row) != width:
            raise FileError(
                f"{path}:{line}: the row has {_cells(len(row))}, the first row {width}: is {delimiter!r} unquoted?"
            )
        yield line, row


def _cells_by_name(place: str, row: Any, names: list[str], *, exactly: bool) -> list[Any]:
    """Return the cells of a row that is a dict, in the order of ``names``.

    ``place`` names the row in messages. Raises FileError for a missing name and, with ``exactly``, for any other key.
    """
    if not isinstance(row, Mapping):
        raise FileError(f"{place} is a {type(row).__name__}, the first row is a dict: write rows of one kind")
    for name in names:
        if name not in row:
            hint = near_hint(name, map(str, row)) or f"it has {', '.join(map(repr, row)) or 'none'}"
            raise FileError(f"{place} has no column {name!r}; {hint}")
    if exactly and len(row) > len(names):
        extra = next(key for key in row if key not in names)
        raise FileError(
            f"{place} has the column {extra!r}, which the first row does not have: list the columns to write"
        )
    return [row[name] for name in names]


def _cells_in_order(place: str, row: Any, width: int) -> list[Any]:
    """Return the cells of a row that is a list; raises FileError unless it has ``width`` items.

    ``place`` names the row in messages.
    """
    if not isinstance(row, list | tuple):
        raise FileError(f"{place} is a {type(row).__name__}: rows are all dicts or all lists")
    if len(row) != width or not row:
        raise FileError(f"{place} has {_cells(len(row))} instead of {width or 'one or more'}")
    return list(row)


def _cell(place: str, value: Any) -> str:
    """Return the text of a cell; raises FileError for NaN, an infinite number, a list, a dict, a set or bytes.

    ``place`` names the row in messages. None becomes an empty text.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        raise FileError(f"{place} has a cell that is {value}: None writes an empty one")
    if isinstance(value, Mapping | list | tuple | set | frozenset | bytes | bytearray):
        raise FileError(
            f"{place} has a cell that is a {type(value).__name__}: a cell is a text, a number, a boolean or None"
        )
    return str(value)


def _cells(count: int) -> str:
    """Return a number of cells as words for a message: "1 cell" or "2 cells"."""
    return f"{count} cell" if count == 1 else f"{count} cells"


def _check_columns(place: str, columns: list[str]) -> None:
    """Raise FileError unless ``columns`` is a list of names that differ from each other."""
    if not isinstance(columns, list | tuple) or not all(isinstance(name, str) for name in columns):
        raise FileError(f"{place}: columns is a list of names, not {columns!r}")
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        raise FileError(f"{place}: the column {twice[0]!r} exists twice: give each column its own name")


def _check_delimiter(delimiter: str) -> None:
    """Raise FileError unless the delimiter is one character, other than a quote, a newline and NUL."""
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '\r\n"\0':
        raise FileError(f"the delimiter {delimiter!r} is not one character such as ',', ';' or a tab")
