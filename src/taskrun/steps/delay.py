"""<delay>: wait for a time without occupying a thread.

    <delay name="pause" delayMillisExpr="200"/>
    <delay name="pause" delayMillisExpr="1.5s"/>

Rules: the value is a number of milliseconds, a duration such as ``1.5s``, or an expression that returns one of these.
For null, 0 and negative numbers the step does not wait.
"""

from __future__ import annotations

from typing import Annotated

from taskrun.core.completion import NEXT, Completion
from taskrun.core.duration import Millis
from taskrun.core.fields import Expression
from taskrun.core.frame import Frame
from taskrun.core.step import Step, step
from taskrun.core.timers import pause


@step("delay")
class Delay(Step):
    """Step ``<delay>``: waits for a time."""

    delay_millis: Annotated[Millis, Expression()]

    async def run(self, frame: Frame) -> Completion:
        """Wait for the time of the step, then complete without outputs."""
        await pause(frame, self.delay_millis.seconds(frame))
        return NEXT
