"""Select the limiters, and the key in them, for the permits of ``throttle`` and the tokens of ``rate-limit``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskrun.core.limits import Limiters

if TYPE_CHECKING:
    from taskrun.core.frame import Frame
    from taskrun.script.script import Script


def limiters_and_key(frame: Frame, key: Script | None, shared: bool) -> tuple[Limiters, str]:
    """Return the limiters to use and the key in them: the value of ``key`` as text, else the path of the step.

    ``shared`` selects the limiters of the TaskManager instead of those of the run.
    """
    value = None if key is None else frame.eval(key)
    text = _static_path(frame) if value is None else str(value)
    if shared:
        return frame.run.services.limiters, f"{frame.run.flow.name}:{text}"
    return frame.run.limiters, text


def _static_path(frame: Frame) -> str:
    """Return the path of the step without iterations, branches, visits and attempts, so that these share one limiter."""
    names = []
    current: Frame | None = frame
    while current is not None and current.parent is not None:
        names.append(current.step.name)
        current = current.parent
    return "/".join(("main", *reversed(names)))
