"""Find files, and the delta layers that cover them.

    flows/pay.task.xml
    flows/_delta/acme/pay.task.xml       covers it with --delta acme

Rules: a layer has its version of a file in ``_delta/<layer>/`` of a search root, or of the file's own folder, under the
path of the file relative to that folder. The version is used instead of the file; ``x:extends="super"`` in it refers to
the next version below. Of several layers, a later one covers an earlier one. The state of every file that was read, and
of every place where a version could have been, is recorded, so that the cache of flows notices changes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from taskrun.syntax.node import Node

FOLDER = "_delta"


def layer_name(name: str) -> str:
    """Return the name of a layer; raises ValueError if it cannot be the name of a folder.

    >>> layer_name("acme")
    'acme'
    """
    if name in {"", os.curdir, os.pardir} or "/" in name or os.sep in name:
        raise ValueError(f"'{name}' is not the name of a delta layer: expected the name of a folder in {FOLDER}")
    return name


class LayeredFile(NamedTuple):
    """One version of a file that layers may replace.

    ``paths`` are the paths of all versions, from the topmost layer down; ``level`` is the index of this version.
    """

    paths: tuple[str, ...]
    level: int = 0

    @property
    def path(self) -> str:
        """Path of this version."""
        return self.paths[self.level]

    @property
    def below(self) -> LayeredFile | None:
        """The version of the file in the next lower layer, or None if this is the lowest version."""
        return LayeredFile(self.paths, self.level + 1) if self.level + 1 < len(self.paths) else None


class Files:
    """Files that one compilation reads, with their layers; ``states`` records the state of each.

    Parameters: ``layers`` are the names of the delta layers, the lowest first; ``roots`` are the search roots; ``find``
    resolves a path that a file mentions (path, mentioning file) and raises LookupError; ``load`` parses a file.
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

    def resolve(self, path: str, from_file: str) -> LayeredFile:
        """Return the topmost version of the file that ``from_file`` calls ``path``; raises LookupError."""
        return self.with_layers(self._find(path, from_file))

    def with_layers(self, path: str) -> LayeredFile:
        """Return the topmost version of the file ``path``: that of the topmost layer with one, else the file itself."""
        candidates = [candidate for layer in reversed(self._layers) for candidate in self._candidates(path, layer)]
        for candidate in candidates:
            self.states[candidate] = state_of(candidate)
        found = [candidate for candidate in dict.fromkeys(candidates) if self.states[candidate] != MISSING]
        return LayeredFile((*found, path))

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
        """Parse a file and record its state; raises XmlError."""
        self.states[path] = state_of(path)
        return self._load(path)


def relative_candidates(path: str, from_file: str) -> list[str]:
    """Return the files that a relative path in ``from_file`` may refer to, in the order of the search.

    They are beside the file and, for a file in a layer, beside the file that it replaces.

    >>> relative_candidates("a.xml", "flows/_delta/acme/parts/b.xml")
    ['flows/_delta/acme/parts/a.xml', 'flows/parts/a.xml']
    """
    parts = Path(from_file).parent.parts
    folders = [parts]
    if FOLDER in parts:
        at = len(parts) - 1 - parts[::-1].index(FOLDER)
        folders.append((*parts[:at], *parts[at + 2 :]))
    return [os.path.normpath(Path(*folder, path)) for folder in folders]


MISSING = (0, 0, 0, 0)


def state_of(path: str) -> tuple[int, ...]:
    """Return device, inode, modification time and size of a file, of which one differs after the file was changed."""
    try:
        status = Path(path).stat()
    except OSError:
        return MISSING
    return (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)
