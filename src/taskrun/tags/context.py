"""The value that the engine passes to a Python tag: the folder of the flow and the allowed folders.

Rules: a tag calls ``resolve`` for every file path before it opens it. ``resolve`` follows symbolic links before it
compares the path with the allowed folders, so that a link inside an allowed folder cannot lead out of it. A file could
still be replaced by a link between this check and the opening; so tags open files with ``O_NOFOLLOW``, which refuses
links.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_HOW_TO_ALLOW = "allow a folder with --folder DIR or TaskManager(folders=[…])"


class FolderError(Exception):
    """Raised for a file path that is invalid, or is outside the allowed folders."""


@dataclass(frozen=True, slots=True)
class TagContext:
    """Value of the parameter ``context`` of a Python tag.

    Parameters: ``folder`` is the folder of the flow's file; ``allowed`` are the folders in which files may be read and
    written; ``report`` receives a line about the progress (``async`` tags call it on the event loop, others in a worker
    thread).
    """

    folder: Path
    allowed: tuple[Path, ...]
    report: Callable[[str], None]

    def resolve(self, path: str) -> Path:
        """Return the absolute path without symbolic links, if it is inside an allowed folder; the file need not exist.

        A relative path is relative to the current folder of the process; ``~`` is not expanded.

        Raises FolderError for an empty path, a path with NUL, and a path outside the allowed folders.
        """
        if not isinstance(path, str):
            raise FolderError(f"a path is text, not {type(path).__name__}: {path!r}")
        if not path:
            raise FolderError("a path is empty: name a file or a folder, '.' is the current folder")
        if "\0" in path:
            raise FolderError(f"the path {path!r} contains the character NUL, which is not allowed in file names")
        try:
            real = os.path.realpath(path)
            settled = os.path.realpath(real) == real
        except (OSError, ValueError) as error:
            raise FolderError(f"the path {path!r} cannot be used: {error}") from error
        # at loops of links and very long paths, realpath stops and removes '..' without following links: a result is
        # free of links only if realpath returns it unchanged
        if not settled:
            raise FolderError(f"the path {path!r} cannot be followed: it is too long or leads through a loop of links")
        if any(Path(real).is_relative_to(os.path.realpath(folder)) for folder in self.allowed):
            return Path(real)
        folders = ", ".join(map(str, self.allowed)) or "none"
        seen = "" if real == path else f", which is {real},"
        raise FolderError(f"the path {path!r}{seen} is outside the allowed folders ({folders}): {_HOW_TO_ALLOW}")
