"""Bounded reading of files for the tags, with failures that name the file and what to do.

Rules: only ordinary files are opened (a pipe would block, a device never ends), never more than a given number of
bytes is held; a byte order mark at the start of UTF-8 is no part of the text; newlines stay as they are.
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
"""The size of the largest file that a tag reads unless told otherwise: 64 MiB."""

TEMPORARY = (".taskrun-", ".tmp")
"""How the names of files that are being written start and end: they are never suggested or listed."""

_MOST_NAMES = 10_000
_SAFE_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class FileError(Exception):
    """A file cannot be read, written or understood; the message names it."""


class FileMissingError(FileError):
    """A file or folder does not exist."""


def is_temporary(name: str) -> bool:
    """Whether ``name`` is that of a file that a tag is writing."""
    return name.startswith(TEMPORARY[0]) and name.endswith(TEMPORARY[1])


def failure(path: str, doing: str, error: OSError) -> FileError:
    """Return the FileError that says that ``doing`` ("read", "written") did not work for ``path``."""
    return FileError(f"{path!r} cannot be {doing}: {error.strerror or error}")


def missing(path: str, real: Path) -> FileMissingError:
    """Return the error for a ``path`` whose ``real`` place is empty: it names the missing part and near names."""
    part = real
    while not part.parent.is_dir() and part.parent != part:
        part = part.parent
    try:
        with os.scandir(part.parent) as entries:
            names = [entry.name for entry in islice(entries, _MOST_NAMES) if not is_temporary(entry.name)]
    except OSError:
        names = []
    what = f"{path!r} does not exist"
    if part != real:
        what += f": there is no folder {str(part)!r}"
    hint = near_hint(part.name, names)
    return FileMissingError(f"{what}; {hint}" if hint else f"{what} (looked for {real})")


def read_bytes(path: str, real: Path, max_bytes: int) -> bytes:
    """Return the content of the ordinary file ``real``, called ``path`` in messages; FileError if it is too large."""
    try:
        descriptor = os.open(real, os.O_RDONLY | _SAFE_FLAGS)
    except (FileNotFoundError, NotADirectoryError):
        raise missing(path, real) from None
    except OSError as error:
        raise failure(path, "read", error) from error
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise FileError(f"{path!r} is {'a folder' if stat.S_ISDIR(mode) else 'no ordinary file'}: name a file")
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise failure(path, "read", error) from error
    finally:
        os.close(descriptor)
    if len(content) > max_bytes:
        raise FileError(f"{path!r} has more than {max_bytes} bytes: raise maxBytes or split the file")
    return content


def check_encoding(encoding: str) -> None:
    """Raise FileError unless ``encoding`` is the name of a text encoding."""
    try:
        "".encode(encoding)
    except (LookupError, ValueError):
        hint = near_hint(encoding, {name.replace("_", "-") for name in {*aliases, *aliases.values()}})
        raise FileError(f"there is no text encoding {encoding!r}; {hint or 'most files are utf-8'}") from None


def read_characters(path: str, real: Path, encoding: str, max_bytes: int) -> str:
    """Return the text of the file ``real``; FileError names the first byte that is not of the encoding."""
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
