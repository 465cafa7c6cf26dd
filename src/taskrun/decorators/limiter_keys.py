"""The key under which a step's permits and tokens are counted: what ``throttle`` and ``rate-limit`` share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskrun.core.limits import Limiters

if TYPE_CHECKING:
    from taskrun.core.frame import Frame
    from taskrun.script.script import Script


def limiters_and_key(frame: Frame, key: Script | None, shared: bool) -> tuple[Limiters, str]:
    """Return whose limiters count, and under which key."""
    value = None if key is None else frame.eval(key)
    text = _place(frame) if value is None else str(value)
    if shared:
        return frame.run.services.limiters, f"{frame.run.flow.name}:{text}"
    return frame.run.limiters, text


def _place(frame: Frame) -> str:
    """Return the step's path without iterations, branches, visits and attempts: all of them are one step."""
    names = []
    current: Frame | None = frame
    while current is not None and current.parent is not None:
        names.append(current.step.name)
        current = current.parent
    return "/".join(("main", *reversed(names)))
