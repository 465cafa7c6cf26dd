"""<sleep>: wait for a while, then go on.

    <sleep name="pause" sleepMillisExpr="200"/>

The same as ``<delay>``: no thread is held, and a cancelled step wakes at once.
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
    """A wait."""

    sleep_millis: Annotated[Millis, Expression()]

    async def run(self, frame: Frame) -> Completion:
        """Wait."""
        await pause(frame, self.sleep_millis.seconds(frame))
        return NEXT
