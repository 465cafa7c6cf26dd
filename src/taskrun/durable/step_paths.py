"""Find the step of a flow that has a certain path in a run, such as ``main/loop[2]/call~2/pay#3``.

Rules: each segment of a path is the name of a step, from the outermost to the innermost. The signs behind a name are
ignored: the iteration ``[2]``, the visit ``~2``, the attempt ``#3``. Below a step that calls a task, the names are
those of steps of the called task.
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
    """Return the step at the path ``key``, and the Run that it belongs to: ``top``, or the run of a called task.

    Raises StoreError if the flow has no such step.
    """
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
