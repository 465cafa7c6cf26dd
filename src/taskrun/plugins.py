"""What installed packages add: their entry points, looked up once.

Rules: the look through all packages costs several milliseconds, so its result is kept for as long as ``sys.path`` is the
same. A package that is installed while the program runs is seen by the next program.
"""

from __future__ import annotations

import importlib.metadata
import sys
from functools import lru_cache
from importlib.metadata import EntryPoints
from typing import Any


def entry_points(*, group: str, name: str | None = None) -> EntryPoints:
    """Return the entry points of a group, or those of a name in it.

    >>> [entry.name for entry in entry_points(group="taskrun.tags", name="taskrun.sh")]
    ['taskrun.sh']
    """
    found: EntryPoints = _all(tuple(sys.path)).select(group=group)
    return found if name is None else found.select(name=name)


@lru_cache(maxsize=1)
def _all(_path: tuple[str, ...]) -> Any:  # what can be selected from; its type changed with Python 3.12
    return importlib.metadata.entry_points()
