"""Find the step of a flow at the path of a record.

Rules: a path consists of the names of steps, from the root to the step: ``main/loop[2]/call~2/pay#3``. Indexes, visits
and attempts are ignored. The steps of a called task are those of its own flow, in a run of its own below the caller's
run.
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
    """Return the step at the path ``key`` and its run; raises StoreError if the flow has no such step."""
    run, step = top, top.flow.model
    path, *names = key.split("/")
    for part in names:
        if part.startswith("#"):  # an attempt of a container
            path += f"/{part}"
            continue
        run, children = step.traits.children_in_run(step, run, path)
        path += f"/{part}"
        name = _MARKS.sub("", part)
        by_name = {child.name: child for child in children}
        if name not in by_name:
            hint = near_hint(name, by_name) or "the flow was changed; resume the run with its original flow"
            raise StoreError(f"the flow has no step {path}, which this run has recorded", hint)
        step = by_name[name]
    return run, step
