"""Tag library ``file-utils``: reads, writes and finds text, JSON and CSV files.

    <file:ReadJson path="orders.json"/>      <file:WriteCsv path="out/orders.csv" rows="${orders}"/>

Rules: a file path is relative to the current folder of the process, except in ``resolve_resource``, where it is
relative to the folder of the flow. It must be inside an allowed folder, also after symbolic links are followed
(``TagContext.resolve``). Writing is atomic and creates missing folders (``taskrun.tags.file_write``). Every failure is
a FileError or FolderError that names the file.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import Any

from taskrun.tags import csv_text as tables
from taskrun.tags.context import FolderError, TagContext
from taskrun.tags.file_read import MAX_BYTES, FileError, FileMissingError, is_temporary, missing_error, read_characters
from taskrun.tags.file_write import append as append_text
from taskrun.tags.file_write import encode_text, write_whole
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
    """Return the text of a file, with its newlines unchanged and without the byte order mark of UTF-8.

    Parameters: ``encoding`` is the name of a Python encoding, ``maxBytes`` the maximum size of the file.
    Raises FileMissingError, FolderError, and FileError for a file that is too large, not regular, or malformed in the
    encoding (with the offset of the byte).
    """
    return read_characters(path, context.resolve(path), encoding, maxBytes)


def write_text(path: str, text: str, encoding: str = "utf-8", append: bool = False, *, context: TagContext) -> None:
    """Replace the content of a file by ``text``, or with ``append`` add ``text`` at its end; newlines are not changed.

    Raises FileError (with nothing changed) and FolderError.
    """
    if not isinstance(text, str):
        raise FileError(f"{path!r}: text is {type(text).__name__}, not text: write a value with WriteJson")
    real = context.resolve(path)
    if append:
        append_text(path, real, text, encoding)
    else:
        write_whole(path, real, encode_text(path, text, encoding))


def find_file_paths(dir: str, pattern: str = "**/*", *, context: TagContext) -> list[str]:  # noqa: A002
    """Return the paths of the files below a folder that match a pattern, sorted by their parts.

    Parameters: ``dir`` is the folder; ``pattern`` has the syntax of ``pathlib.Path.glob``: ``*`` and ``?`` within a
    name, ``**`` for any folders; it also matches hidden files.
    Returns paths that begin with ``dir`` as given, so that other tags can open them. ``**`` does not follow links to
    folders; files outside the allowed folders and incomplete files are left out.
    Raises FileMissingError if the folder does not exist, FileError if it is a file or the pattern is wrong,
    FolderError.
    """
    real = context.resolve(dir)
    if not real.exists():
        raise missing_error(dir, real)
    if not real.is_dir():
        raise FileError(f"{dir!r} is a file, not a folder: dir names a folder, pattern the files in it")
    parts = PurePath(pattern).parts
    if not parts or PurePath(pattern).is_absolute() or ".." in parts or "\0" in pattern:
        raise FileError(
            f"the pattern {pattern!r} is not one below {dir!r}: it is relative, without '..', as in '**/*.csv'"
        )
    try:
        matches = {match for match in real.glob(pattern) if _is_accessible_file(match, context)}
    except (ValueError, NotImplementedError) as error:
        raise FileError(f"the pattern {pattern!r} cannot be used: {error}") from None
    except OSError as error:
        raise FileError(f"{dir!r} cannot be searched: {error.strerror or error}") from error
    return [os.fspath(Path(dir) / match.relative_to(real)) for match in sorted(matches)]


def read_json(path: str, maxBytes: int = MAX_BYTES, *, context: TagContext) -> Any:
    """Return the value of a JSON file in UTF-8; of equal keys the last one counts.

    Raises FileMissingError, FolderError, and FileError with file:line:column for malformed JSON, which includes NaN and
    Infinity.
    """
    return from_json(path, read_text(path, maxBytes=maxBytes, context=context))


def write_json(path: str, value: Any, indent: int | None = 2, *, context: TagContext) -> None:
    """Write a value to a file as JSON in UTF-8, with a newline at the end.

    Parameters: ``indent`` is the number of spaces per level, None writes a single line.
    Raises FolderError, and FileError for a part that JSON does not support (NaN, infinite numbers, other objects), with
    its place in the value.
    """
    real = context.resolve(path)
    write_whole(path, real, encode_text(path, to_json(path, value, indent) + "\n", "utf-8"))


def read_csv(
    path: str, delimiter: str = ",", header: bool = True, maxBytes: int = MAX_BYTES, *, context: TagContext
) -> list[Any]:
    """Return the rows of a CSV file in UTF-8; cells are text, empty lines are skipped.

    Returns dicts by the names in the first row, or lists if ``header`` is false.
    Raises FileMissingError, FolderError, and FileError, with the line, for a row with more or fewer cells than the
    first one, a duplicate column or a wrong quote.
    """
    text = read_text(path, maxBytes=maxBytes, context=context)
    return tables.from_csv(path, text, delimiter, header=header)


def write_csv(
    path: str, rows: list[Any], columns: list[str] | None = None, delimiter: str = ",", *, context: TagContext
) -> None:
    """Write rows to a file as CSV in UTF-8; None becomes an empty cell, booleans become ``true`` and ``false``.

    Parameters: ``rows`` are all dicts or all lists. For dicts, ``columns`` selects and orders the columns; without it
    they are the keys of the first row, and no row may have others. For lists, ``columns`` is the header; without it
    there is none. Lines end as in RFC 4180.
    Raises FolderError, and FileError, with the number of the row, for a missing cell or a cell that is no single value.
    """
    real = context.resolve(path)
    write_whole(path, real, encode_text(path, tables.to_csv(path, rows, columns, delimiter), "utf-8"))


def resolve_resource(path: str, *, context: TagContext) -> str:
    """Return the real, absolute path of a file or folder; ``path`` is relative to the folder of the flow.

    Raises FileMissingError if it does not exist, and FolderError.
    """
    # an empty path is not joined, as it would become the flow's folder: resolve refuses it
    real = context.resolve(os.fspath(context.folder / path) if path else path)
    if not real.exists():
        raise missing_error(path, real)
    return os.fspath(real)


def _is_accessible_file(match: Path, context: TagContext) -> bool:
    """Return whether a path is a file inside an allowed folder, and not a temporary file of a tag."""
    try:
        return not is_temporary(match.name) and context.resolve(os.fspath(match)).is_file()
    except (FolderError, OSError):
        return False
