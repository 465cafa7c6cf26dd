"""Where a file is, and which delta folders have a layer for it.

    flows/pay.task.xml
    flows/_delta/acme/pay.task.xml       laid over it with --delta acme

Rules: a layer of a file stands in ``_delta/<layer>/`` of a search root that the file is in (or of the file's own folder), under the
file's path in it. It takes the file's place; ``x:extends="super"`` in it means the file of the layers below. Of several layers the
later one is on top. Every file that is read, or that would be if it existed, is remembered with its state.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from taskrun.syntax.node import Node

FOLDER = "_delta"


def layer_name(name: str) -> str:
    """Return the name of a layer; raises ValueError for one that is no name of a folder.

    >>> layer_name("acme")
    'acme'
    """
    if name in {"", os.curdir, os.pardir} or "/" in name or os.sep in name:
        raise ValueError(f"'{name}' is not the name of a delta layer: expected that of a folder in {FOLDER}")
    return name


class Found(NamedTuple):
    """A file and those below it: ``paths`` from the topmost layer down, of which ``level`` is meant."""

    paths: tuple[str, ...]
    level: int = 0

    @property
    def path(self) -> str:
        """The file."""
        return self.paths[self.level]

    @property
    def below(self) -> Found | None:
        """The same file in the layers below, None when there are none."""
        return Found(self.paths, self.level + 1) if self.level + 1 < len(self.paths) else None


class Files:
    """The files of one compilation.

    Parameters: ``layers`` the names of delta layers, the lowest first; ``roots`` the search roots; ``find`` returns the path that
    a file means with a path (it raises LookupError), ``load`` the tree of a file.
    """

    def __init__(
        self,
        layers: Sequence[str],
        roots: Sequence[str],
        find: Callable[[str, str], str],
        load: Callable[[str], Node],
    ) -> None:
        self._layers = tuple(layers)
        self._roots = tuple(roots)
        self._find = find
        self._load = load
        self.states: dict[str, tuple[int, ...]] = {}

    def named(self, path: str, said_in: str) -> Found:
        """Return the file that ``path`` means in the file ``said_in``; raises LookupError."""
        return self.layered(self._find(path, said_in))

    def layered(self, path: str) -> Found:
        """Return a file with its layers."""
        candidates = [candidate for layer in reversed(self._layers) for candidate in self._candidates(path, layer)]
        for candidate in candidates:
            self.states[candidate] = state_of(candidate)
        found = [candidate for candidate in dict.fromkeys(candidates) if self.states[candidate] != MISSING]
        return Found((*found, path))

    def _candidates(self, path: str, layer: str) -> list[str]:
        full = os.path.abspath(path)  # noqa: PTH100 - links are not followed
        own = os.path.dirname(path) or "."  # noqa: PTH120 - keeps ./
        found = []
        for root in (*self._roots, own):
            relative = os.path.relpath(full, os.path.abspath(root))  # noqa: PTH100 - likewise
            if not relative.startswith(os.pardir):
                found.append(os.path.normpath(os.path.join(root, FOLDER, layer, relative)))  # noqa: PTH118 - keeps ./
        return found

    def load(self, path: str) -> Node:
        """Return the tree of a file and store the state of the file; raises XmlError."""
        self.states[path] = state_of(path)
        return self._load(path)


def beside(path: str, said_in: str) -> list[str]:
    """Return what a relative path in a file may mean: a file beside it or, in a layer, beside the file that it covers.

    >>> beside("a.xml", "flows/_delta/acme/parts/b.xml")
    ['flows/_delta/acme/parts/a.xml', 'flows/parts/a.xml']
    """
    parts = Path(said_in).parent.parts
    folders = [parts]
    if FOLDER in parts:
        at = len(parts) - 1 - parts[::-1].index(FOLDER)
        folders.append((*parts[:at], *parts[at + 2 :]))
    return [os.path.normpath(Path(*folder, path)) for folder in folders]


MISSING = (0, 0, 0, 0)


def state_of(path: str) -> tuple[int, ...]:
    """Return what tells whether a file has changed."""
    try:
        status = Path(path).stat()
    except OSError:
        return MISSING
    return (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)
