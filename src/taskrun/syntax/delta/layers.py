"""Find files, and the versions of them that delta layers contain.

    flows/pay.task.xml
    flows/_delta/acme/pay.task.xml       is used instead with --delta acme

Rules: the version of ``FOLDER/a/b.xml`` in a layer is ``FOLDER/_delta/LAYER/a/b.xml``, where FOLDER is a search root or
the file's own folder. It is used instead of the file. If several layers have a version, that of the layer named last is
used. ``x:extends="super"`` in a version means the version below it, or the file. The state of every file that was read,
and of every place where a version could have been, is recorded, so that the cache of flows notices changes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from taskrun.syntax.node import Node

FOLDER = "_delta"


def layer_name(name: str) -> str:
    """Return ``name``; raise ValueError if it cannot be the name of a layer, which is the name of a folder.

    >>> layer_name("acme")
    'acme'
    """
    if name in {"", os.curdir, os.pardir} or "/" in name or os.sep in name:
        raise ValueError(f"'{name}' is not the name of a delta layer: expected the name of a folder in {FOLDER}")
    return name


class LayeredFile(NamedTuple):
    """One version of a file, with the paths of all versions of it.

    ``paths`` are the files of all layers that have a version, the topmost first; the last is the file itself, which is
    in no layer. ``level`` is the index of this version in ``paths``.
    """

    paths: tuple[str, ...]
    level: int = 0

    @property
    def path(self) -> str:
        """File path of this version."""
        return self.paths[self.level]

    @property
    def below(self) -> LayeredFile | None:
        """The version of the file in the next lower layer, or None if this is the lowest version."""
        return LayeredFile(self.paths, self.level + 1) if self.level + 1 < len(self.paths) else None


class Files:
    """Finds and loads the files of one compilation, with their versions in layers.

    ``states`` maps each file path that was looked at to its ``state_of``. Parameters: ``layers`` are the names of the
    delta layers, the lowest first. ``roots`` are the search roots. ``find`` is a function of a path and the file that
    contains the path; it returns the file that is meant, or raises LookupError. ``load`` parses a file.
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
        """Return the topmost version of the file that ``from_file`` calls ``path``.

        Raises LookupError if there is no such file.
        """
        return self.with_layers(self._find(path, from_file))

    def with_layers(self, path: str) -> LayeredFile:
        """Return the topmost version of the file ``path``: in the topmost layer that has one, else the file itself."""
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
        """Parse the file at ``path`` and record its state; raises XmlError if it cannot be read or parsed."""
        self.states[path] = state_of(path)
        return self._load(path)


def relative_candidates(path: str, from_file: str) -> list[str]:
    """Return the files that a relative path in ``from_file`` may refer to, in the order of the search.

    The first is beside ``from_file``. If ``from_file`` is in a layer, the second is beside the file that it replaces.

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
    """Return device, inode, modification time and size of a file, or MISSING if it does not exist.

    The state is compared with a later one to find out whether the file was changed.
    """
    try:
        status = Path(path).stat()
    except OSError:
        return MISSING
    return (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)
