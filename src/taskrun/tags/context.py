"""What the engine gives a tag: where its flow stands, which folders it may use, and whom to tell what it does.

Rules: every path that a tag opens went through ``resolve`` first. It follows symbolic links before it compares, so a
link inside an allowed folder does not lead out of it. It cannot see what others change between the check and the
opening; tags open files with ``O_NOFOLLOW`` to keep that gap small.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_HOW_TO_ALLOW = "allow a folder with --folder DIR or TaskManager(folders=[…])"


class FolderError(Exception):
    """A path cannot be used: it is none, or leads out of the folders that a tag may use."""


@dataclass(frozen=True, slots=True)
class TagContext:
    """What a tag knows of its surroundings.

    Parameters: ``folder`` is the folder of the flow's file, ``allowed`` are the folders inside which files may be
    read and written, ``report`` takes a line about what happens (called in the loop by ``async`` tags, in a worker
    thread by the others).
    """

    folder: Path
    allowed: tuple[Path, ...]
    report: Callable[[str], None]

    def resolve(self, path: str) -> Path:
        """Return the real path of ``path``, which need not exist, inside one of the allowed folders.

        A relative path is relative to the process's current folder, ``~`` is a name like any other.
        Raises FolderError for an empty path, one with NUL, and one that leads outside.
        """
        if not isinstance(path, str):
            raise FolderError(f"a path is text, not {type(path).__name__}: {path!r}")
        if not path:
            raise FolderError("a path is empty: name a file or a folder, '.' is the current folder")
        if "\0" in path:
            raise FolderError(f"the path {path!r} contains the character NUL, which no file name has")
        try:
            real = os.path.realpath(path)
            settled = os.path.realpath(real) == real
        except (OSError, ValueError) as error:
            raise FolderError(f"the path {path!r} cannot be used: {error}") from error
        # realpath gives up at loops of links and at very long paths and then cuts '..' out of the text without
        # looking at links: only a result that stays the same is free of links.
        if not settled:
            raise FolderError(f"the path {path!r} cannot be followed: it is too long or leads through a loop of links")
        if any(Path(real).is_relative_to(os.path.realpath(folder)) for folder in self.allowed):
            return Path(real)
        folders = ", ".join(map(str, self.allowed)) or "none"
        seen = "" if real == path else f", which is {real},"
        raise FolderError(f"the path {path!r}{seen} is outside the allowed folders ({folders}): {_HOW_TO_ALLOW}")
