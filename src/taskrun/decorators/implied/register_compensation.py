"""Round every step that something can undo and that is not recorded: put it on the list when it has succeeded.

Rules: inside ``allowFailure``, which turns a failure into no result, not into something to undo. Where the step is
recorded, ``replay`` does this.
"""

from __future__ import annotations

from typing import ClassVar

from taskrun.core.completion import Completion
from taskrun.core.frame import Frame
from taskrun.core.step import ImpliedDecorator, Inner, Step, decorator
from taskrun.core.traits import DecoratorTraits
from taskrun.core.weave import WeaveSettings
from taskrun.durable.compensation import register_compensation


@decorator("registerCompensation", rank=96)
class RegisterCompensation(ImpliedDecorator):
    """A step that can be undone."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(may_suspend=False)

    step: Step

    @classmethod
    def implied(cls, step: Step, settings: WeaveSettings) -> RegisterCompensation | None:
        """Round every step that can be undone."""
        if settings.outermost is not None or settings.root or settings.saved(step):
            return None
        return cls(step=step) if step.traits.has_compensation(step) else None

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the step and note that it can be undone."""
        done = await inner(frame)
        if not done.suspended:
            values = self.step.traits.compensation_data(self.step, frame)
            if values is not None:
                register_compensation(frame, self.step, values, done)
        return done
