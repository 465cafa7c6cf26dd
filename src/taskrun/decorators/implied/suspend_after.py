"""next="@suspend": suspend the run after a step; when it is resumed, it continues behind the step.

    <step name="order" next="@suspend"> … </step>

Rules: ``@suspend`` has the same meaning in ``nextOnError``, and in ``to`` of a ``<case>``. The resume needs no inputs.
To request inputs, use the step ``<suspend>``.
"""

from __future__ import annotations

from typing import ClassVar

from taskrun.core.completion import Completion, Signal
from taskrun.core.frame import Frame
from taskrun.core.journal import StepRecord
from taskrun.core.states import StepState
from taskrun.core.step import ImpliedDecorator, Inner, Step, decorator
from taskrun.core.timers import now
from taskrun.core.traits import DecoratorTraits
from taskrun.core.weave import WeaveSettings
from taskrun.durable.recorder import recorder_of
from taskrun.result import WaitPoint

SUSPEND = "@suspend"


@decorator("suspendAfter", rank=137)
class SuspendAfter(ImpliedDecorator):
    """Implied decorator for ``next="@suspend"``: adds a wait point after the step."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(
        may_suspend=False, implied_in=("suspends",), belongs_to_call=True
    )

    step: Step

    @classmethod
    def implied(cls, step: Step, settings: WeaveSettings) -> SuspendAfter | None:
        """Return the decorator for a step whose next step may be ``@suspend``, None for any other step.

        The next step can be named by ``next``, by ``nextOnError``, and by ``to`` of a ``<case>``.
        """
        if not settings.jumps:
            return None
        targets = {step.next, step.next_on_error, *(target for _, target in step.traits.jumps(step))}
        return cls(step=step) if SUSPEND in targets else None

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the step; if its completion has the target ``@suspend``, suspend the run.

        If the run was resumed at this wait point already, return a completion with which the flow continues.
        """
        done = await inner(frame)
        if done.signal is not Signal.SUSPEND or done.target != SUSPEND:
            return done
        recorder = recorder_of(frame.run)
        path = frame.path_of(self.step.name)
        if recorder.recorded(f"{path}:given") is not None:
            return Completion(done.outputs)
        recorder.note(StepRecord(f"{path}:pause", "decision", StepState.SUSPENDED, ended=now()))
        recorder.wait_points.append(WaitPoint(path, f"behind '{self.step.name}'"))
        return done._replace(target=None)
