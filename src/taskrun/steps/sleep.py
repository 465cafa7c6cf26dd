"""<sleep>: wait for a time, the same as ``<delay>`` under another name.

    <sleep name="pause" sleepMillisExpr="200"/>

Rules: the value is as for ``<delay>``. No thread is occupied, and a cancelled step stops waiting at once.
"""

from __future__ import annotations

from typing import Annotated

from taskrun.core.completion import NEXT, Completion
from taskrun.core.duration import Millis
from taskrun.core.fields import Expression
from taskrun.core.frame import Frame
from taskrun.core.step import Step, step
from taskrun.core.timers import pause


@step("sleep")
class Sleep(Step):
    """Step ``<sleep>``: waits for a time, like ``<delay>``."""

    sleep_millis: Annotated[Millis, Expression()]

    async def run(self, frame: Frame) -> Completion:
        """Wait for the time of the step, then complete without outputs."""
        await pause(frame, self.sleep_millis.seconds(frame))
        return NEXT
