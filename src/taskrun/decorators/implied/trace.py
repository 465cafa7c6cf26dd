"""Events for the start and the end of each step, sent to the observers of the run.

Rules: the decorator is woven only into the program of traced runs, which are those with observers, so that other runs
do not pay for it. A step that ``when`` or ``flags`` skips has neither event: they send StepSkipped.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

from taskrun.core.completion import Completion
from taskrun.core.frame import Frame
from taskrun.core.step import ImpliedDecorator, Inner, Step, decorator
from taskrun.core.traits import DecoratorTraits
from taskrun.core.weave import WeaveSettings
from taskrun.errors import StepTimeout


@decorator("trace", rank=130)
class Trace(ImpliedDecorator):
    """Implied decorator that emits StepStarted before a step and StepFinished after it."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(may_suspend=False, implied_in=("traced",), belongs_to_call=True)

    step: Step

    @classmethod
    def implied(cls, step: Step, _settings: WeaveSettings) -> Trace:
        """Return the decorator for a step of a traced program."""
        return cls(step=step)

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the step; emit StepStarted before it and StepFinished after it, also when it fails or is cancelled."""
        from taskrun.core.events import StepFinished, StepStarted

        run, step = frame.run, self.step
        path, at = frame.path_of(step.name), step.at
        clock = asyncio.get_running_loop().time
        started = clock()
        run.emit(StepStarted(run.run_id, path, step.tag, at))
        status, text = "FAILED", None
        try:
            done = await inner(frame)
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError):
                status = "CANCELLED"
            elif isinstance(error, StepTimeout):
                status = "TIMED_OUT"
            text = f"{type(error).__name__}: {error}"
            raise
        else:
            status = "SUCCEEDED"
            return done
        finally:
            seconds = clock() - started
            run.emit(StepFinished(run.run_id, path, step.tag, status, seconds, at, text, step.record_metrics))
