"""Search for the files of tasks and step libraries, by path or by name and version.

Rules: a relative path is searched beside the file that contains it. If that file is in a layer, the path is then
searched beside the file that the delta changes. Paths that begin with ``/``, and names, are searched in the search
roots: the folder of the started file, the folders of ``--path``, ``TASKRUN_PATH`` or ``TaskManager(path=…)``, then the
shipped ``lib/``. If a path that begins with ``/`` is in no search root, it is a path of the file system. Version ``N``
of the task ``orders/check`` is the file ``orders/check/vN.task.xml``, or the same with ``.yaml``, ``.yml`` or
``.json``. Without a version, or with one ≤ 0, the highest version is used.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from taskrun.syntax.delta.layers import relative_candidates

FORMS = (".xml", ".yaml", ".yml", ".json")
"""The endings of the forms of a file, in the order in which they are searched."""

_VERSION = re.compile(r"v(\d+)")


class NotFoundError(LookupError):
    """The file of a task or step library does not exist; ``tried`` are the paths that were searched."""

    def __init__(self, what: str, tried: Sequence[str]) -> None:
        super().__init__(f"{what} not found")
        self.tried: tuple[str, ...] = tuple(tried)

    @property
    def hint(self) -> str:
        """Text for a message: the searched paths, or how to set search roots if there are none."""
        return (
            "tried " + ", ".join(self.tried)
            if self.tried
            else "there are no search roots: set --path, TASKRUN_PATH or TaskManager(path=…)"
        )


@dataclass(frozen=True, slots=True)
class SearchPath:
    """The search roots, in which tasks and step libraries are searched; no folder occurs twice in ``roots``."""

    roots: tuple[str, ...]

    def by_path(self, path: str, referrer: str) -> str:
        """Return the file that ``path`` means in the file ``referrer``; raise NotFoundError if it does not exist."""
        if not path.startswith("/"):
            tried = relative_candidates(path, referrer)
            for candidate in tried:
                if Path(candidate).is_file():
                    return candidate
            raise NotFoundError(f"'{path}'", tried)
        inside = path.lstrip("/")
        tried = [os.path.normpath(os.path.join(root, inside)) for root in self.roots]  # noqa: PTH118 - keeps ./
        tried.append(path)
        for candidate in tried:
            if Path(candidate).is_file():
                return candidate
        raise NotFoundError(f"'{path}'", tried)

    def by_name(self, name: str, version: int | None, kind: str) -> str:
        """Return the path of the file of a task or step library ``name``, such as ``orders/check``, in one version.

        ``version`` None or ≤ 0 means the highest. ``kind`` is ``.task`` or ``.task-lib``. Raises NotFoundError if no
        search root has the file; the first search root that has it wins.
        """
        wanted = version if version is not None and version > 0 else None
        tried = []
        for root in self.roots:
            folder = Path(root) / name
            stem = f"v{wanted or _highest(folder, kind)}{kind}"
            tried.append(str(folder / f"{stem}{FORMS[0]}"))
            for form in FORMS:
                if (folder / f"{stem}{form}").is_file():
                    return str(folder / f"{stem}{form}")
        raise NotFoundError(f"'{name}'" + (f" version {wanted}" if wanted else ""), tried)


def _highest(folder: Path, kind: str) -> int:
    """Return the highest version that has a file of this kind (``.task``) in a folder, or 1 if there is none."""
    versions = [0]
    if folder.is_dir():
        for entry in folder.iterdir():
            stem, form = os.path.splitext(entry.name)  # noqa: PTH122 - the last of the name's endings
            found = _VERSION.fullmatch(stem.removesuffix(kind)) if form in FORMS and stem.endswith(kind) else None
            if found:
                versions.append(int(found[1]))
    return max(versions) or 1


def name_and_version(path: str) -> tuple[str, int] | None:
    """Return name and version of a task: ``("check", 2)`` for ``…/check/v2.task.xml``, None for other paths."""
    file = Path(path)
    found = _VERSION.fullmatch(file.name.partition(".")[0])
    return (file.parent.name, int(found[1])) if found and file.parent.name else None
