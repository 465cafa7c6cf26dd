"""Select the limiters, and the key in them, for ``<throttle>`` and ``<rate-limit>``.

A key is a text. The executions of steps that use the same key in the same limiters share one limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskrun.core.limits import Limiters

if TYPE_CHECKING:
    from taskrun.core.frame import Frame
    from taskrun.script.script import Script


def limiters_and_key(frame: Frame, key: Script | None, shared: bool) -> tuple[Limiters, str]:
    """Return the limiters of the run and the key to use in them; with ``shared`` those of the TaskManager.

    The key is the value of the script ``key`` as text. If it is missing or null, the key is the path of the step, so
    that each step has a limit of its own. In the limiters of the TaskManager the name of the flow is put before it.
    """
    value = None if key is None else frame.eval(key)
    text = _static_path(frame) if value is None else str(value)
    if shared:
        return frame.run.services.limiters, f"{frame.run.flow.name}:{text}"
    return frame.run.limiters, text


def _static_path(frame: Frame) -> str:
    """Return the names of the enclosing steps and of the step, joined by ``/``: the path without its numbers.

    All iterations, branches, visits and attempts of a step then share one limit.
    """
    names = []
    current: Frame | None = frame
    while current is not None and current.parent is not None:
        names.append(current.step.name)
        current = current.parent
    return "/".join(("main", *reversed(names)))
