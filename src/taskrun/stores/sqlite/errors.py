"""What SQLite's errors mean to somebody who runs flows: what is wrong, where, and what to do.

Rules: every error of SQLite and of the file system becomes a StoreError from the original, with a hint.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from taskrun.errors import StoreError

STORE_TROUBLE = (sqlite3.Error, OSError, UnicodeError)
"""What is explained."""

_NOTHING_LOST = "what was committed before is safe"

_NEW_FILE = "restore a copy, or move it away and start with a new one"

_MEANINGS: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        sqlite3.SQLITE_FULL: ("the disk is full", f"make room; {_NOTHING_LOST}"),
        sqlite3.SQLITE_IOERR: (
            "the disk cannot be written or read",
            f"look at the disk and its limits; {_NOTHING_LOST}",
        ),
        sqlite3.SQLITE_BUSY: ("another process holds it locked", "find who has it open, or raise ?timeout=SECONDS"),
        sqlite3.SQLITE_LOCKED: ("another process holds it locked", "find who has it open, or raise ?timeout=SECONDS"),
        sqlite3.SQLITE_CORRUPT: ("the file is damaged", _NEW_FILE),
        sqlite3.SQLITE_ERROR: ("the file is damaged, or was changed by another program", _NEW_FILE),
        sqlite3.SQLITE_NOTADB: ("the file is not a SQLite database", "give taskrun a file of its own"),
        sqlite3.SQLITE_READONLY: ("it may not be written", "look at the rights of the file and its folder"),
        sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", "look at the rights of the folder, and whether it is there"),
        sqlite3.SQLITE_PERM: ("it may not be opened", "look at the rights of the file and its folder"),
    }
)


def store_error(error: Exception, path: Path | str) -> StoreError:
    """Return the StoreError that explains an error about the database ``path``."""
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(code, int):
        problem, hint = _MEANINGS.get(code & 0xFF, (str(error), ""))
        return StoreError(f"the store {path}: {problem} ({error})" if str(error) != problem else problem, hint)
    if isinstance(error, UnicodeDecodeError):  # sqlite3 cannot even read SQLite's message about what is damaged
        return StoreError(f"the store {path}: the file is damaged ({error})", _NEW_FILE)
    if isinstance(error, OSError):
        return StoreError(f"the store {path}: {error}", "look at the disk, and at the rights of the folder")
    return StoreError(f"the store {path}: {error}", _NEW_FILE if isinstance(error, sqlite3.OperationalError) else "")


def damaged(path: Path | str, error: Exception) -> StoreError:
    """Return the StoreError about what is in the file and cannot be understood."""
    return StoreError(
        f"the store {path}: a record in it cannot be read: it is damaged ({type(error).__name__}: {error})", _NEW_FILE
    )


@contextmanager
def explained(path: Path | str) -> Iterator[None]:
    """Turn errors of SQLite and of the file system into StoreError."""
    try:
        yield
    except STORE_TROUBLE as error:
        raise store_error(error, path) from error
