"""Find the files that a flow names.

Rules: a relative path is relative to the file that says it (in a delta layer, then to the file that it covers). A name with a version, and a path that begins with ``/``,
are looked up under the search roots: the folder of the file that was started, the folders of ``--path``, ``TASKRUN_PATH``
or ``TaskManager(path=…)``, then the shipped ``lib/``; only then does ``/…`` mean the file system. Version ``N`` of the task
``orders/check`` is ``orders/check/vN.task.xml``, or the same with ``.yaml``, ``.yml`` or ``.json`` if there is no XML; without
a version (or ≤ 0) the highest counts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from taskrun.syntax.delta.layers import relative_candidates

FORMS = (".xml", ".yaml", ".yml", ".json")
"""The endings of the forms that a file can have; the first that is there counts."""

_VERSION = re.compile(r"v(\d+)")


class NotFoundError(LookupError):
    """No such file; ``tried`` are the places where it was looked for."""

    def __init__(self, what: str, tried: Sequence[str]) -> None:
        super().__init__(f"{what} not found")
        self.tried: tuple[str, ...] = tuple(tried)

    @property
    def hint(self) -> str:
        """What was tried, for a message."""
        return "tried " + ", ".join(self.tried) if self.tried else "there is no folder to look in"


class SearchPath:
    """The search roots of a run."""

    __slots__ = ("roots",)

    def __init__(self, roots: Sequence[str]) -> None:
        self.roots: tuple[str, ...] = tuple(dict.fromkeys(roots))

    def by_path(self, path: str, said_in: str) -> str:
        """Return the file that ``path`` means in the file ``said_in``; raises NotFoundError."""
        if not path.startswith("/"):
            tried = relative_candidates(path, said_in)
            for candidate in tried:
                if Path(candidate).is_file():
                    return candidate
            raise NotFoundError(f"'{path}'", tried)
        tried = [os.path.normpath(os.path.join(root, path.lstrip("/"))) for root in self.roots]  # noqa: PTH118 - keeps ./
        tried.append(path)
        for candidate in tried:
            if Path(candidate).is_file():
                return candidate
        raise NotFoundError(f"'{path}'", tried)

    def by_name(self, name: str, version: int | None, kind: str) -> str:
        """Return the file of version ``version`` (None or ≤ 0: the highest) of ``name``; raises NotFoundError.

        ``kind`` is the ending of its name without that of its form: ``.task`` or ``.task-lib``.
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
    versions = [0]
    if folder.is_dir():
        for entry in folder.iterdir():
            stem, form = os.path.splitext(entry.name)  # noqa: PTH122 - the last of the name's endings
            found = _VERSION.fullmatch(stem.removesuffix(kind)) if form in FORMS and stem.endswith(kind) else None
            if found:
                versions.append(int(found[1]))
    return max(versions) or 1


def name_and_version(path: str) -> tuple[str, int] | None:
    """Return the task's name and version that a path ``…/name/vN.task.xml`` says, None when it says none."""
    file = Path(path)
    found = _VERSION.fullmatch(file.name.partition(".")[0])
    return (file.parent.name, int(found[1])) if found and file.parent.name else None
