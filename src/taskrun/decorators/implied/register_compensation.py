"""Registration of a compensation: when an unrecorded step succeeds, add its compensation to the list of its container.

Rules: this decorator is nearer to the step than ``allowFailure``, so that a failure that ``allowFailure`` turns into a
success is not compensated. For recorded steps the decorator ``replay`` registers the compensation.
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
    """Implied decorator that registers the compensation of an unrecorded step when the step succeeds."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(
        may_suspend=False, implied_in=("compensates",), implied_if_recorded=False, belongs_to_call=True
    )

    step: Step

    @classmethod
    def implied(cls, step: Step, _settings: WeaveSettings) -> RegisterCompensation | None:
        """Return the decorator for a step that has a compensation, None for any other step."""
        return cls(step=step) if step.traits.has_compensation(step) else None

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the step; when it succeeds, add its compensation to the list of its container."""
        done = await inner(frame)
        if not done.suspended:
            values = self.step.traits.compensation_data(self.step, frame)
            if values is not None:
                register_compensation(frame, self.step, values, done)
        return done
