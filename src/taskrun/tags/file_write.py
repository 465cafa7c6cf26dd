"""Writing of whole files for the tags: others see the file as it was or as it shall be, never a part of it.

Rules: a file is written beside its place under a temporary name, brought to the disk and then renamed; when anything
fails, the temporary file and the folders made for it are removed. The mode of a file that was there stays, its owner and
hard links do not. A file without write permission, a folder and a device are refused. Appending locks the file, so
that lines of several writers do not mix, and takes back what was written when it fails.
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

from taskrun.tags.file_read import TEMPORARY, FileError, check_encoding, failure

_CREATE = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_APPEND = os.O_CREAT | os.O_RDWR | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def encoded(path: str, text: str, encoding: str, *, first: bool = True) -> bytes:
    """Return ``text`` as bytes; only the ``first`` of a file has the byte order mark of encodings with one."""
    check_encoding(encoding)
    encoder = codecs.getincrementalencoder(encoding)()
    if not first:
        encoder.setstate(0)  # as open(…, "a") does: no mark in the middle of a file
    try:
        return encoder.encode(text, final=True)
    except UnicodeEncodeError as error:
        wrong = f"character {error.start} ({error.object[error.start]!r})"
        raise FileError(f"{path!r} cannot be written as {encoding}: {wrong} is not in it; use utf-8") from None
    except UnicodeError as error:
        raise FileError(f"{path!r} cannot be written as {encoding}: {error}") from None


def write_whole(path: str, real: Path, content: bytes) -> None:
    """Make ``content`` the content of the file ``real``, called ``path`` in messages, or change nothing."""
    with _failures(path), _parents(real):
        mode = _mode_of(path, real)
        temporary = real.parent / f"{TEMPORARY[0]}{secrets.token_hex(8)}{TEMPORARY[1]}"
        # the umask makes the mode of a new file; one that was private is private from its first byte on
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
    """Add ``text`` at the end of the file ``real``, wholly or not at all; the file is made when there is none."""
    encoded(path, text, encoding)  # nothing is made for a text that cannot be written
    with _failures(path), _parents(real):
        is_new = _mode_of(path, real) is None
        descriptor = _locked(real)
        try:
            size = os.fstat(descriptor).st_size
            try:
                _write_all(descriptor, encoded(path, text, encoding, first=size == 0))
                os.fsync(descriptor)
            except BaseException:
                os.ftruncate(descriptor, size)
                if is_new and size == 0:
                    real.unlink(missing_ok=True)
                raise
        finally:
            os.close(descriptor)


@contextmanager
def _failures(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise failure(path, "written", error) from error


@contextmanager
def _parents(real: Path) -> Iterator[None]:
    """Make the folders above ``real``; remove those made when the body fails."""
    needed = [folder for folder in real.parents if not folder.exists()]
    made: list[Path] = []
    try:
        for folder in reversed(needed):
            with suppress(FileExistsError):  # another writer was faster: then it is theirs
                folder.mkdir()
                made.append(folder)
        yield
    except BaseException:
        for folder in reversed(made):
            with suppress(OSError):  # not empty: another writer uses it
                folder.rmdir()
        raise


def _mode_of(path: str, real: Path) -> int | None:
    """Return the permissions of an ordinary file that may be written, None when there is no file."""
    try:
        mode = os.lstat(real).st_mode
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(mode):
        raise FileError(f"{path!r} is {'a folder' if stat.S_ISDIR(mode) else 'no ordinary file'}: name a file")
    if not os.access(real, os.W_OK):
        raise FileError(f"{path!r} cannot be written: the file is write-protected")
    return stat.S_IMODE(mode)


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _locked(real: Path) -> int:
    """Return a descriptor for appending to ``real``, locked against other appending tags until it is closed."""
    while True:
        descriptor = os.open(real, _APPEND, 0o666)
        try:
            if sys.platform != "win32":
                import fcntl

                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(descriptor), os.lstat(real)):
                return descriptor
        except FileNotFoundError:
            pass  # removed while this waited
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # replaced while this waited: what is appended there would be lost


def _sync_folder(folder: Path) -> None:
    """Bring the new name to the disk; the file is there in any case, so that a failure here is none of the tag's."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
