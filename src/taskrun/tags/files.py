"""The tag library ``file-utils``: text, JSON and CSV files, and finding files.

    <file:ReadJson path="orders.json"/>      <file:WriteCsv path="out/orders.csv" rows="${orders}"/>

Rules: a path is relative to the process's current folder and has to lie in an allowed folder, after links are followed
(``TagContext.resolve``); only ``resolve_resource`` starts at the flow's own folder. Writing is all or nothing
(``taskrun.tags.file_write``) and makes the folders above. Every failure is a FileError, or a FolderError, that names the file.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import Any

from taskrun.tags import csv_text as tables
from taskrun.tags.context import FolderError, TagContext
from taskrun.tags.file_read import MAX_BYTES, FileError, FileMissingError, is_temporary, missing, read_characters
from taskrun.tags.file_write import append as append_text
from taskrun.tags.file_write import encoded, write_whole
from taskrun.tags.json_text import from_json, to_json

__all__ = [
    "FileError",
    "FileMissingError",
    "find_file_paths",
    "read_csv",
    "read_json",
    "read_text",
    "resolve_resource",
    "write_csv",
    "write_json",
    "write_text",
]


def read_text(path: str, encoding: str = "utf-8", maxBytes: int = MAX_BYTES, *, context: TagContext) -> str:
    """Return the text of a file, its newlines as they are, without the byte order mark of UTF-8.

    Parameters: ``encoding`` is a Python encoding's name, ``maxBytes`` the size of the largest file accepted.
    Raises FileMissingError, FileError (too large, no ordinary file, not of the encoding: with the byte's offset), FolderError.
    """
    return read_characters(path, context.resolve(path), encoding, maxBytes)


def write_text(path: str, text: str, encoding: str = "utf-8", append: bool = False, *, context: TagContext) -> None:
    """Write ``text`` as the whole of a file, or with ``append`` at its end; newlines are written as they are.

    Raises FileError (nothing is changed then), FolderError.
    """
    if not isinstance(text, str):
        raise FileError(f"{path!r}: text is {type(text).__name__}, not text: write a value with WriteJson")
    real = context.resolve(path)
    if append:
        append_text(path, real, text, encoding)
    else:
        write_whole(path, real, encoded(path, text, encoding))


def find_file_paths(dir: str, pattern: str = "**/*", *, context: TagContext) -> list[str]:  # noqa: A002  the attribute's name
    """Return the paths of the files below ``dir`` that ``pattern`` matches, sorted by their parts.

    Parameters: ``pattern`` is as for ``pathlib.Path.glob``: ``*`` and ``?`` within a name, ``**`` any folders; it matches
    hidden files too.
    Returns paths that begin with ``dir`` as given, so they are relative when it is, and other tags can open them. Links to
    folders are not descended into by ``**``; files that lie outside the allowed folders and files that are being written
    are left out.
    Raises FileMissingError or FileError when there is no such folder or the pattern is wrong, FolderError.
    """
    real = context.resolve(dir)
    if not real.exists():
        raise missing(dir, real)
    if not real.is_dir():
        raise FileError(f"{dir!r} is a file, not a folder: dir names a folder, pattern the files in it")
    parts = PurePath(pattern).parts
    if not parts or PurePath(pattern).is_absolute() or ".." in parts or "\0" in pattern:
        raise FileError(
            f"the pattern {pattern!r} is not one below {dir!r}: it is relative, without '..', as in '**/*.csv'"
        )
    try:
        matches = {match for match in real.glob(pattern) if _is_ours(match, context)}
    except (ValueError, NotImplementedError) as error:
        raise FileError(f"the pattern {pattern!r} cannot be used: {error}") from None
    except OSError as error:
        raise FileError(f"{dir!r} cannot be searched: {error.strerror or error}") from error
    return [os.fspath(Path(dir) / match.relative_to(real)) for match in sorted(matches)]


def read_json(path: str, maxBytes: int = MAX_BYTES, *, context: TagContext) -> Any:
    """Return the value of a JSON file in UTF-8; the last of several equal keys counts.

    Raises FileMissingError, FileError (a wrong place is told as file:line:column; NaN and Infinity are no JSON), FolderError.
    """
    return from_json(path, read_text(path, maxBytes=maxBytes, context=context))


def write_json(path: str, value: Any, indent: int | None = 2, *, context: TagContext) -> None:
    """Write ``value`` as JSON in UTF-8 with a newline at the end.

    Parameters: ``indent`` is the number of spaces per level, None writes one line.
    Raises FileError for what JSON does not have (NaN, infinite numbers, other objects), with its place; FolderError.
    """
    real = context.resolve(path)
    write_whole(path, real, encoded(path, to_json(path, value, indent) + "\n", "utf-8"))


def read_csv(
    path: str, delimiter: str = ",", header: bool = True, maxBytes: int = MAX_BYTES, *, context: TagContext
) -> list[Any]:
    """Return the rows of a CSV file in UTF-8; all cells are text, empty lines are left out.

    Returns dicts by the names in the first row, with ``header`` false lists.
    Raises FileMissingError, FileError (a row with more or fewer cells than the first, twice the same column, a wrong quote:
    with the line), FolderError.
    """
    text = read_text(path, maxBytes=maxBytes, context=context)
    return tables.from_csv(path, text, delimiter, header=header)


def write_csv(
    path: str, rows: list[Any], columns: list[str] | None = None, delimiter: str = ",", *, context: TagContext
) -> None:
    """Write rows as CSV in UTF-8 with the line ends of RFC 4180; None is an empty cell, booleans are true and false.

    Parameters: ``rows`` are all dicts or all lists. ``columns`` are the columns of dicts in their order, without it those
    of the first row, and then no row may have others; for lists they are the header, without it there is none.
    Raises FileError for a row that lacks a cell, or a cell that is no single value, with the row's number; FolderError.
    """
    real = context.resolve(path)
    write_whole(path, real, encoded(path, tables.to_csv(path, rows, columns, delimiter), "utf-8"))


def resolve_resource(path: str, *, context: TagContext) -> str:
    """Return the real, absolute path of a file or folder that belongs to the flow: ``path`` is relative to its file.

    Raises FileMissingError when there is none, FolderError.
    """
    # an empty path would become the flow's folder: resolve refuses it
    real = context.resolve(os.fspath(context.folder / path) if path else path)
    if not real.exists():
        raise missing(path, real)
    return os.fspath(real)


def _is_ours(match: Path, context: TagContext) -> bool:
    """Whether a match is a finished file in an allowed folder."""
    try:
        return not is_temporary(match.name) and context.resolve(os.fspath(match)).is_file()
    except (FolderError, OSError):
        return False
