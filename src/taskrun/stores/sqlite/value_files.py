"""Files for long values, in a folder beside the database; each file is named by the SHA-256 of its content.

Rules: a file is complete or does not exist (it is written under another name, synced and renamed), and never changes.
It is written before the transaction that refers to it, and checked again inside the transaction, because a purge may
have removed it in between. Files are removed only under the database's write lock.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from taskrun.errors import StoreError

_PARTIAL_PREFIX = "new-"
"""Prefix of the names of files that are still being written."""
_PARTIAL_MAX_AGE = 3600.0
"""Age in seconds after which an incomplete file is considered abandoned."""


@dataclass(frozen=True, slots=True)
class ValueFiles:
    """Folder of files with long values, addressed by the hash of their content."""

    folder: Path

    def save(self, data: bytes) -> str:
        """Write the data to a file named by its hash, unless that file exists, and return the name."""
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
        """Return the content of a file; raises StoreError if the file is missing or its content has another hash."""
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
        """Remove all files except those in ``used``; must be called under the database's write lock."""
        if not self.folder.is_dir():
            return
        for name in {path.name for path in self.folder.iterdir()}.difference(used):
            path = self.folder / name
            if not name.startswith(_PARTIAL_PREFIX) or time.time() - path.stat().st_mtime > _PARTIAL_MAX_AGE:
                path.unlink(missing_ok=True)

    def _is_complete(self, target: Path, size: int) -> bool:
        """Return whether the file exists with the expected size in bytes."""
        try:
            return target.stat().st_size == size
        except FileNotFoundError:
            return False

    def _sync_folder(self) -> None:
        """Sync the folder, so that a new file survives a loss of power; does nothing where folders cannot be synced."""
        if os.name != "posix":
            return
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
