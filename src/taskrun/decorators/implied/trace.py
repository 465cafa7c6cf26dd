"""Round every step of a run that somebody watches: events for its start and its end.

Rules: woven only into the program for watched runs, so that it costs nothing to the others. A step that is left out
has an event of its own from ``when`` or ``flags``.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

from taskrun.core.completion import Completion
from taskrun.core.events import StepFinished, StepStarted
from taskrun.core.frame import Frame
from taskrun.core.step import ImpliedDecorator, Inner, Step, decorator
from taskrun.core.traits import DecoratorTraits
from taskrun.core.weave import WeaveSettings
from taskrun.errors import StepTimeout


@decorator("trace", rank=130)
class Trace(ImpliedDecorator):
    """The events of a step."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(may_suspend=False)

    step: Step

    @classmethod
    def implied(cls, step: Step, settings: WeaveSettings) -> Trace | None:
        """Round every step of a watched program but the root."""
        if not settings.traced or settings.root or settings.outermost is not None:
            return None
        return cls(step=step)

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Tell that the step starts, run it, tell how it ended."""
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
