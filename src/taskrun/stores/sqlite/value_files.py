"""Files for long values, in a folder beside the database; the name of each is the SHA-256 of its content.

Rules: a file is complete or does not exist: it is written under another name, synced and renamed. Its content never
changes. It is written before the transaction that refers to it. Inside the transaction it is checked again, because a
purge may have removed it in between. Files are removed only under the database's write lock.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from taskrun.errors import StoreError

_PARTIAL_PREFIX = "new-"
"""The names of files that are not complete yet begin with this text."""
_PARTIAL_MAX_AGE = 3600.0
"""An incomplete file that is older than this number of seconds was left by a process that died, and may be removed."""


@dataclass(frozen=True, slots=True)
class ValueFiles:
    """The folder with the files for long values; equal values share a file, as its name is the hash of the content."""

    folder: Path

    def save(self, data: bytes) -> str:
        """Write data to the file that is named by their hash, unless it exists, and return the name of the file."""
        name = hashlib.sha256(data).hexdigest()
        target = self.folder / name
        if self._is_complete(target, len(data)):
            return name
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=_PARTIAL_PREFIX, dir=self.folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(beside).replace(target)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise
        self._sync_folder()
        return name

    def load(self, name: str) -> bytes:
        """Return the content of the file with this name; raises StoreError if it is missing or has another hash."""
        path = self.folder / name
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise StoreError(
                f"{path} is missing: it contained a recorded value", "restore the folder from a copy"
            ) from error
        if hashlib.sha256(data).hexdigest() != name:
            raise StoreError(f"{path} is damaged: it contained a recorded value", "restore the folder from a copy")
        return data

    def sweep(self, used: Iterable[str]) -> None:
        """Remove all files except those with the names ``used``.

        Call it under the database's write lock, so that no other process refers to a file meanwhile. Incomplete files
        of processes that may still write them stay.
        """
        if not self.folder.is_dir():
            return
        for name in {path.name for path in self.folder.iterdir()}.difference(used):
            path = self.folder / name
            if not name.startswith(_PARTIAL_PREFIX) or time.time() - path.stat().st_mtime > _PARTIAL_MAX_AGE:
                path.unlink(missing_ok=True)

    def _is_complete(self, target: Path, size: int) -> bool:
        """Return whether the file exists with ``size`` bytes; then it need not be written."""
        try:
            return target.stat().st_size == size
        except FileNotFoundError:
            return False

    def _sync_folder(self) -> None:
        """Make sure that a new file survives a loss of power; on Windows, which cannot sync folders, do nothing."""
        if os.name != "posix":
            return
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@dataclass(slots=True, eq=False)
class SpilledFiles:
    """The files for long values to which one write, or one new run, refers: their content by file name."""

    store: ValueFiles
    files: dict[str, bytes] = field(default_factory=dict)

    def spill(self, data: bytes) -> str:
        """Write a long value to a file, and return the name of the file."""
        name = self.store.save(data)
        self.files[name] = data
        return name

    def register(self, connection: sqlite3.Connection, number: int) -> None:
        """Record, inside the transaction, that the run with the row id ``number`` uses these files.

        A file that a purge has removed since it was written is written again.
        """
        for name, data in self.files.items():
            self.store.save(data)
            connection.execute("INSERT OR IGNORE INTO files VALUES (?, ?)", (number, name))
