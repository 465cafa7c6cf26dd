"""Find the entry points of installed packages.

Rules: a search through all packages takes several milliseconds, so its result is cached until ``sys.path`` changes. A
package that is installed while the process runs is found by the next process.
"""

from __future__ import annotations

import importlib.metadata
import sys
from functools import lru_cache
from importlib.metadata import EntryPoints
from typing import Any


def entry_points(*, group: str, name: str | None = None) -> EntryPoints:
    """Return the entry points of a group that installed packages declare; with ``name``, only those of that name.

    >>> [entry.name for entry in entry_points(group="taskrun.tags", name="taskrun.sh")]
    ['taskrun.sh']
    """
    found: EntryPoints = _all(tuple(sys.path)).select(group=group)
    return found if name is None else found.select(name=name)


@lru_cache(maxsize=1)
def _all(_path: tuple[str, ...]) -> Any:  # its type differs before Python 3.12, but both have select()
    return importlib.metadata.entry_points()
