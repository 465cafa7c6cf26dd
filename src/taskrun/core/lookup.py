"""Find the files that a flow names.

Rules: a relative path is relative to the file that says it (in a delta layer, then to the file that it covers). A name with a version, and a path that begins with ``/``,
are looked up under the search roots: the folder of the file that was started, the folders of ``--path``, ``TASKRUN_PATH``
or ``TaskManager(path=…)``, then the shipped ``lib/``; only then does ``/…`` mean the file system. Version ``N`` of the task
``orders/check`` is ``orders/check/vN.task.xml``; without a version (or ≤ 0) the highest counts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from taskrun.syntax.layers import beside

_VERSION = re.compile(r"v(\d+)")


class NotFound(LookupError):
    """No such file; ``tried`` are the places where it was looked for."""

    def __init__(self, what: str, tried: Sequence[str]) -> None:
        super().__init__(f"{what} not found")
        self.tried = tuple(tried)

    @property
    def hint(self) -> str:
        """What was tried, for a message."""
        return "tried " + ", ".join(self.tried) if self.tried else "there is no folder to look in"


class Lookup:
    """The search roots of a run."""

    __slots__ = ("roots",)

    def __init__(self, roots: Sequence[str]) -> None:
        self.roots = tuple(dict.fromkeys(roots))

    def by_path(self, path: str, said_in: str) -> str:
        """Return the file that ``path`` means in the file ``said_in``; raises NotFound."""
        if not path.startswith("/"):
            tried = beside(path, said_in)
            for candidate in tried:
                if Path(candidate).is_file():
                    return candidate
            raise NotFound(f"'{path}'", tried)
        tried = [os.path.normpath(os.path.join(root, path.lstrip("/"))) for root in self.roots]  # noqa: PTH118 - keeps ./
        tried.append(path)
        for candidate in tried:
            if Path(candidate).is_file():
                return candidate
        raise NotFound(f"'{path}'", tried)

    def by_name(self, name: str, version: int | None, suffix: str) -> str:
        """Return the file of version ``version`` (None or ≤ 0: the highest) of ``name``; raises NotFound."""
        wanted = version if version is not None and version > 0 else None
        tried = []
        for root in self.roots:
            folder = Path(root) / name
            file = f"v{wanted}{suffix}" if wanted else _highest(folder, suffix)
            tried.append(str(folder / file))
            if (folder / file).is_file():
                return str(folder / file)
        raise NotFound(f"'{name}'" + (f" version {wanted}" if wanted else ""), tried)


def _highest(folder: Path, suffix: str) -> str:
    versions = [0]
    if folder.is_dir():
        for entry in folder.iterdir():
            found = _VERSION.fullmatch(entry.name.removesuffix(suffix)) if entry.name.endswith(suffix) else None
            if found:
                versions.append(int(found[1]))
    return f"v{max(versions) or 1}{suffix}"


def name_and_version(path: str) -> tuple[str, int] | None:
    """Return the task's name and version that a path ``…/name/vN.task.xml`` says, None when it says none."""
    file = Path(path)
    found = _VERSION.fullmatch(file.name.partition(".")[0])
    return (file.parent.name, int(found[1])) if found and file.parent.name else None
