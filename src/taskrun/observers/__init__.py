"""Bundled observers: functions and objects that receive every event of a run.

    from taskrun.observers import Metrics, Progress

    TaskManager(observers=[Metrics(), Progress(sys.stderr)])

Modules here import ``taskrun.core.events`` and the standard library only. The public names are imported on first use,
because every manager imports ``log``, but few need the others. Begin with ``log``, the shortest one; ``taskrun.events``
has the events themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taskrun.observers.json_lines import JsonLines as JsonLines
    from taskrun.observers.log import log_event as log_event
    from taskrun.observers.metrics import Metrics as Metrics
    from taskrun.observers.metrics import Timer as Timer
    from taskrun.observers.progress import Progress as Progress

_PLACES = (
    ("taskrun.observers.json_lines", ("JsonLines",)),
    ("taskrun.observers.log", ("log_event",)),
    ("taskrun.observers.metrics", ("Metrics", "Timer")),
    ("taskrun.observers.progress", ("Progress",)),
)


def __getattr__(name: str) -> Any:
    """Return a public name of this package, which is imported from its module when it is first read."""
    for module, names in _PLACES:
        if name in names:
            import importlib

            return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    """Return the public names of this package, including those that have not been imported yet."""
    return sorted(name for _, names in _PLACES for name in names)
