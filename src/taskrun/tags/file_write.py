"""Atomic writing of files for tags: other processes see the old or the new content, never a part of it.

Rules: the content is written to a temporary file in the same folder, synced to the disk, and renamed. If anything
fails, the temporary file is removed, and so are folders that were created for it. A replaced file keeps its
permissions, but not its owner and hard links. Writing to a file without write permission, a folder or a device is
refused.

Appending is different: it locks the file, so that lines of several writers do not mix. If it fails, the file is cut to
its old size.
"""

from __future__ import annotations

import codecs
import os
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from taskrun.tags.file_read import TEMPORARY, FileError, check_encoding, os_failure

_CREATE = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_APPEND = os.O_CREAT | os.O_RDWR | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def encode_text(path: str, text: str, encoding: str, *, first: bool = True) -> bytes:
    """Return text as bytes; raises FileError if the encoding lacks a character.

    ``first`` means that the bytes begin the file: only these get a byte order mark, in encodings that have one.
    """
    check_encoding(encoding)
    encoder = codecs.getincrementalencoder(encoding)()
    if not first:
        encoder.setstate(0)  # no byte order mark in the middle of a file, like open(…, "a")
    try:
        return encoder.encode(text, final=True)
    except UnicodeEncodeError as error:
        wrong = f"character {error.start} ({error.object[error.start]!r})"
        raise FileError(
            f"{path!r} cannot be written as {encoding}: {wrong} is not in this encoding; use utf-8"
        ) from None
    except UnicodeError as error:
        raise FileError(f"{path!r} cannot be written as {encoding}: {error}") from None


def write_whole(path: str, real: Path, content: bytes) -> None:
    """Replace the content of the file ``real``, or create it; messages call the file ``path``.

    Raises FileError if it cannot be written; then nothing has changed.
    """
    with _translate_errors(path), _parent_folders(real):
        mode = _mode_of(path, real)
        temporary = real.parent / f"{TEMPORARY[0]}{secrets.token_hex(8)}{TEMPORARY[1]}"
        # a new file gets its mode from the umask; a replacement is private until it has the mode of the old file
        descriptor = os.open(temporary, _CREATE, 0o666 if mode is None else 0o600)
        try:
            try:
                if mode is not None:
                    os.chmod(temporary, mode)  # noqa: PTH101  beside os.open and os.replace
                _write_all(descriptor, content)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.replace(temporary, real)  # noqa: PTH105
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
    _sync_folder(real.parent)


def append(path: str, real: Path, text: str, encoding: str) -> None:
    """Append ``text`` to the file ``real``, or create it; messages call the file ``path``.

    Raises FileError if it cannot be written; then nothing has changed.
    """
    encode_text(path, text, encoding)  # raises before anything is created
    with _translate_errors(path), _parent_folders(real):
        is_new = _mode_of(path, real) is None
        descriptor = _open_locked(real)
        try:
            size = os.fstat(descriptor).st_size
            try:
                _write_all(descriptor, encode_text(path, text, encoding, first=size == 0))
                os.fsync(descriptor)
            except BaseException:
                os.ftruncate(descriptor, size)
                if is_new and size == 0:
                    real.unlink(missing_ok=True)
                raise
        finally:
            os.close(descriptor)


@contextmanager
def _translate_errors(path: str) -> Iterator[None]:
    """Convert an OSError that the block raises into a FileError about ``path``."""
    try:
        yield
    except OSError as error:
        raise os_failure(path, "written", error) from error


@contextmanager
def _parent_folders(real: Path) -> Iterator[None]:
    """Create the missing folders above ``real`` before the block; remove them again if the block raises."""
    needed = [folder for folder in real.parents if not folder.exists()]
    made: list[Path] = []
    try:
        for folder in reversed(needed):
            with suppress(FileExistsError):  # another writer created it, so it is not removed here
                folder.mkdir()
                made.append(folder)
        yield
    except BaseException:
        for folder in reversed(made):
            with suppress(OSError):  # not empty: another writer uses it
                folder.rmdir()
        raise


def _mode_of(path: str, real: Path) -> int | None:
    """Return the permissions of a file (``st_mode``); None if it does not exist.

    Raises FileError if it is write-protected or not a regular file, such as a folder.
    """
    try:
        mode = os.lstat(real).st_mode
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(mode):
        raise FileError(f"{path!r} is {'a folder' if stat.S_ISDIR(mode) else 'not a regular file'}: name a file")
    if not os.access(real, os.W_OK):
        raise FileError(f"{path!r} cannot be written: the file is write-protected")
    return stat.S_IMODE(mode)


def _write_all(descriptor: int, content: bytes) -> None:
    """Write all bytes to a file descriptor, since one call of ``os.write`` may write only a part."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _open_locked(real: Path) -> int:
    """Open ``real`` for appending and lock it exclusively; return the descriptor, whose closing ends the lock."""
    while True:
        descriptor = os.open(real, _APPEND, 0o666)
        try:
            if sys.platform != "win32":
                import fcntl

                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(descriptor), os.lstat(real)):
                return descriptor
        except FileNotFoundError:
            pass  # the file was removed while waiting for the lock
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # the file was replaced while waiting for the lock: open the new one


def _sync_folder(folder: Path) -> None:
    """Sync a folder to the disk, so that the new name of a file survives a loss of power.

    Errors are ignored: the file itself is complete.
    """
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
