"""From the path of a step in a run to the step: what a record belongs to.

Rules: a path names steps from the root downwards, ``main/loop[2]/call~2/pay#3``: index, visit and attempt do not matter
here. A called task's steps are those of its own flow, in a run of its own below the caller's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from taskrun.errors import StoreError, near_hint

if TYPE_CHECKING:
    from taskrun.core.run import Run
    from taskrun.core.step import Step

_MARKS = re.compile(r"(?:~\d+)?(?:#\d+)?(?:\[\d+\])?$")


def locate(top: Run, key: str) -> tuple[Run, Step]:
    """Return the step at a path, and the run that it belongs to; raises StoreError when the flow has no such step."""
    run, step = top, top.flow.model
    path, *names = key.split("/")
    for part in names:
        if part.startswith("#"):  # an attempt of a root
            path += f"/{part}"
            continue
        run, children = step.traits.children_in_run(step, run, path)
        path += f"/{part}"
        name = _MARKS.sub("", part)
        known = {child.name: child for child in children}
        if name not in known:
            hint = near_hint(name, known) or "the flow has changed since; resume it with the one that it began with"
            raise StoreError(f"the flow has no step {path}, which this run has recorded", hint)
        step = known[name]
    return run, step
