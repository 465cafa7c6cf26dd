"""Convert errors of SQLite and of the file system to StoreError, with an explanation and a hint for users.

Rules: the StoreError is raised ``from`` the original error.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from taskrun.errors import StoreError

MEDIUM_ERRORS = (sqlite3.Error, OSError, UnicodeError)
"""The exceptions that ``translate_errors`` converts into StoreError."""

_COMMITS_ARE_SAFE = "what was committed before is safe"

_NEW_FILE = "restore a copy, or move it away and start with a new one"

_EXPLANATIONS: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        sqlite3.SQLITE_FULL: ("the disk is full", f"make room; {_COMMITS_ARE_SAFE}"),
        sqlite3.SQLITE_IOERR: (
            "the disk cannot be written or read",
            f"check the disk and its limits; {_COMMITS_ARE_SAFE}",
        ),
        sqlite3.SQLITE_BUSY: (
            "another process has locked it",
            "find the process that has it open, or raise ?timeout=SECONDS",
        ),
        sqlite3.SQLITE_LOCKED: (
            "another process has locked it",
            "find the process that has it open, or raise ?timeout=SECONDS",
        ),
        sqlite3.SQLITE_CORRUPT: ("the file is damaged", _NEW_FILE),
        sqlite3.SQLITE_ERROR: ("the file is damaged, or was changed by another program", _NEW_FILE),
        sqlite3.SQLITE_NOTADB: ("the file is not a SQLite database", "use another file for taskrun"),
        sqlite3.SQLITE_READONLY: ("the file is read-only", "check the permissions of the file and its folder"),
        sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", "check that the folder exists, and its permissions"),
        sqlite3.SQLITE_PERM: ("access to the file is denied", "check the permissions of the file and its folder"),
    }
)
"""The problem and the hint for each primary result code of SQLite."""


def store_error(error: Exception, path: Path | str) -> StoreError:
    """Return the StoreError that explains an error of SQLite or of the file system; ``path`` is the database."""
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(code, int):
        problem, hint = _EXPLANATIONS.get(code & 0xFF, (str(error), ""))
        return StoreError(f"the store {path}: {problem} ({error})" if str(error) != problem else problem, hint)
    if isinstance(error, UnicodeDecodeError):  # sqlite3 cannot decode SQLite's message about the damaged schema
        return StoreError(f"the store {path}: the file is damaged ({error})", _NEW_FILE)
    if isinstance(error, OSError):
        return StoreError(f"the store {path}: {error}", "check the disk and the permissions of the folder")
    return StoreError(f"the store {path}: {error}", _NEW_FILE if isinstance(error, sqlite3.OperationalError) else "")


def damaged_record_error(path: Path | str, error: Exception) -> StoreError:
    """Return the StoreError for a record that cannot be decoded; ``error`` is what the decoder raised."""
    return StoreError(
        f"the store {path}: a record in it cannot be read: it is damaged ({type(error).__name__}: {error})", _NEW_FILE
    )


@contextmanager
def translate_errors(path: Path | str) -> Iterator[None]:
    """Convert errors of SQLite and of the file system that the ``with`` block raises to StoreError.

    ``path`` is the database file, which the messages name.
    """
    try:
        yield
    except MEDIUM_ERRORS as error:
        raise store_error(error, path) from error
