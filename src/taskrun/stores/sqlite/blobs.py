"""Long texts beside a database, each in a file named by its SHA-256.

Rules: a file is complete or not there (written beside, synced, renamed) and never changes. It is written before the
transaction that names it and looked for again inside it, since a purge may have swept it away in between. Only a purge
removes files, under the database's write lock.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from taskrun.errors import StoreError

_NEW = "new-"
"""How the name of a file begins that somebody is writing."""
_ABANDONED = 3600.0
"""After how many seconds nobody writes it any more."""


class ValueFiles:
    """The folder of files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, data: bytes) -> str:
        """Write the data, unless it is there, and return its name."""
        name = hashlib.sha256(data).hexdigest()
        target = self.folder / name
        if self._is_there(target, len(data)):
            return name
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=_NEW, dir=self.folder)
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
        """Return the data of that name; StoreError when the file is gone or is not what was written."""
        path = self.folder / name
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise StoreError(f"{path} is gone: a recorded value was in it", "restore the folder from a copy") from error
        if hashlib.sha256(data).hexdigest() != name:
            raise StoreError(f"{path} is damaged: a recorded value was in it", "restore the folder from a copy")
        return data

    def has(self, name: str) -> bool:
        """Whether there is a file of that name."""
        return (self.folder / name).exists()

    def sweep(self, used: Iterable[str]) -> None:
        """Remove the files that are not in use; call it under the database's write lock."""
        if not self.folder.is_dir():
            return
        for name in {path.name for path in self.folder.iterdir()}.difference(used):
            path = self.folder / name
            if not name.startswith(_NEW) or time.time() - path.stat().st_mtime > _ABANDONED:
                path.unlink(missing_ok=True)

    def _is_there(self, target: Path, size: int) -> bool:
        try:
            return target.stat().st_size == size
        except FileNotFoundError:
            return False

    def _sync_folder(self) -> None:
        """Make the new name last, where folders can be synced."""
        if os.name != "posix":
            return
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
