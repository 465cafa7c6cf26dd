"""Reading of files for tags, up to a maximum size, with errors that name the file and a remedy.

Rules: only regular files are read, because reading a pipe would block and a device may never end. A file that is larger
than the maximum size is an error. A byte order mark of UTF-8 is removed; newlines are not changed.
"""

from __future__ import annotations

import codecs
import os
import stat
from encodings.aliases import aliases
from itertools import islice
from pathlib import Path

from taskrun.errors import near_hint

MAX_BYTES = 64 * 1024 * 1024
"""The default maximum size of a file that a tag reads: 64 MiB."""

TEMPORARY = (".taskrun-", ".tmp")
"""Prefix and suffix of the names of incomplete files, which are never suggested or listed."""

_MAX_NAMES = 10_000
_SAFE_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class FileError(Exception):
    """Raised when a file cannot be read, written or parsed; the message names it."""


class FileMissingError(FileError):
    """Raised when a file or folder does not exist."""


def is_temporary(name: str) -> bool:
    """Return whether a file has the name of a temporary file, in which a tag prepares the content of another file."""
    return name.startswith(TEMPORARY[0]) and name.endswith(TEMPORARY[1])


def os_failure(path: str, doing: str, error: OSError) -> FileError:
    """Return the FileError for an OSError; ``doing`` is the failed operation, "read" or "written"."""
    return FileError(f"{path!r} cannot be {doing}: {error.strerror or error}")


def missing_error(path: str, real: Path) -> FileMissingError:
    """Return the error for a path that does not exist; it names the folder that is missing and similar names.

    ``path`` is the path in the message, ``real`` the same path without links.
    """
    part = real
    while not part.parent.is_dir() and part.parent != part:
        part = part.parent
    try:
        with os.scandir(part.parent) as entries:
            names = [entry.name for entry in islice(entries, _MAX_NAMES) if not is_temporary(entry.name)]
    except OSError:
        names = []
    what = f"{path!r} does not exist"
    if part != real:
        what += f": there is no folder {str(part)!r}"
    hint = near_hint(part.name, names)
    return FileMissingError(f"{what}; {hint}" if hint else f"{what} (looked for {real})")


def read_bytes(path: str, real: Path, max_bytes: int) -> bytes:
    """Return the content of the regular file ``real``, which messages call ``path``.

    Raises FileError if it is larger than ``max_bytes``, not regular or not readable.
    """
    try:
        descriptor = os.open(real, os.O_RDONLY | _SAFE_FLAGS)
    except (FileNotFoundError, NotADirectoryError):
        raise missing_error(path, real) from None
    except OSError as error:
        raise os_failure(path, "read", error) from error
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise FileError(f"{path!r} is {'a folder' if stat.S_ISDIR(mode) else 'not a regular file'}: name a file")
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise os_failure(path, "read", error) from error
    finally:
        os.close(descriptor)
    if len(content) > max_bytes:
        raise FileError(f"{path!r} has more than {max_bytes} bytes: raise maxBytes or split the file")
    return content


def check_encoding(encoding: str) -> None:
    """Raise FileError unless ``encoding`` is the name of a text encoding of Python."""
    try:
        "".encode(encoding)
    except (LookupError, ValueError):
        hint = near_hint(encoding, {name.replace("_", "-") for name in {*aliases, *aliases.values()}})
        raise FileError(f"there is no text encoding {encoding!r}; {hint or 'most files are utf-8'}") from None


def read_characters(path: str, real: Path, encoding: str, max_bytes: int) -> str:
    """Return the text of the file ``real``, which messages call ``path``.

    Raises FileError if it is larger than ``max_bytes`` or malformed; the error names the first wrong byte.
    """
    check_encoding(encoding)
    content = read_bytes(path, real, max_bytes)
    name = codecs.lookup(encoding).name
    skipped = len(codecs.BOM_UTF8) if name in {"utf-8", "utf-8-sig"} and content.startswith(codecs.BOM_UTF8) else 0
    try:
        return content[skipped:].decode("utf-8" if name == "utf-8-sig" else encoding)
    except UnicodeDecodeError as error:
        wrong = f"byte {error.start + skipped} (0x{error.object[error.start]:02x})"
        raise FileError(f"{path!r} is not {encoding}: {wrong}: {error.reason}; set encoding to the file's") from None
    except UnicodeError as error:
        raise FileError(f"{path!r} is not {encoding}: {error}") from None
