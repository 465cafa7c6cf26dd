"""<suspend>: suspend the run at this step until it is resumed, with inputs from the caller of ``resume``.

    <suspend name="approve" displayName="Shall the order be paid?">
      <input name="approved" type="bool" mandatory="true"/>
      <input name="amount" value="${order.amount}"/>
      <resume-when>approved is not None</resume-when>
      <output name="approved"/>
    </suspend>

Rules: the run ends in the state SUSPENDED, with a wait point for this step. Steps that run concurrently are run to
their end before. An input without ``value`` and ``source`` is requested: whoever resumes the run passes it (``taskrun
resume RUN --input approved=true``), and it is checked as the inputs of a task are. When the run is resumed,
``resume-when`` is evaluated: if it is true or missing, the step succeeds; else the run is suspended again. The RESULT
is a mapping of the requested inputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from taskrun.core.completion import RESULT, Completion, Signal
from taskrun.core.frame import Frame
from taskrun.core.inputs import Input, resolve_inputs
from taskrun.core.journal import StepRecord
from taskrun.core.states import StepState
from taskrun.core.step import Step, step
from taskrun.core.timers import now
from taskrun.core.traits import Traits
from taskrun.durable.recorder import Recorder, recorder_of
from taskrun.errors import Diagnostic
from taskrun.result import RequestedInput, WaitPoint
from taskrun.script.script import Script


class SuspendTraits(Traits):
    """Traits of ``<suspend>``: it suspends the run and requests inputs."""

    __slots__ = ()

    def suspends_run(self, _step: Step) -> bool:
        """Return True: the step suspends the run."""
        return True

    def requests(self, _step: Step, item: Input) -> bool:
        """Return whether the caller of ``resume`` has to pass the input: True if it has neither value nor source."""
        return item.by_name


@step("suspend")
class Suspend(Step):
    """Step ``<suspend>``: suspends the run until it is resumed, with the requested inputs."""

    traits: ClassVar[Traits] = SuspendTraits()

    resume_when: Script | None = None

    async def run(self, frame: Frame) -> Completion:
        """Add a wait point and return the signal SUSPEND; or complete, if the run was resumed at this step.

        If ``resume-when`` is false for the inputs of the resume, the run is suspended again.
        """
        recorder = recorder_of(frame.run)
        inputs = self._resume_inputs(frame, recorder)
        if inputs is not None:
            frame.scope.update(inputs)
            script = self.resume_when
            if script is None or frame.eval(script):
                return Completion({RESULT: inputs})
        key = frame.path
        recorder.wait_points.append(
            WaitPoint(key, self._title(), tuple(map(RequestedInput.of, self.traits.requested_inputs(self, frame.run))))
        )
        recorder.note(StepRecord(key, "step", StepState.SUSPENDED, note=self._title(), started=now()))
        return Completion(signal=Signal.SUSPEND)

    def _resume_inputs(self, frame: Frame, recorder: Recorder) -> Mapping[str, Any] | None:
        """Return the requested inputs by name, checked; None if the run was not resumed at this step yet."""
        record = recorder.recorded(f"{frame.path}:given")
        if record is None:
            return None
        values = {**recorder.value(record.outputs), **recorder.resume_inputs}
        return resolve_inputs(self.traits.requested_inputs(self, frame.run), values, frame.scope)

    def _title(self) -> str:
        """Return the text that tells people what to decide at the wait point.

        It is the display name of the step, else its description, else its name.
        """
        return self.display_name or (self.description or "").strip() or self.name

    def analyze(self) -> Iterable[Diagnostic]:
        """Yield a diagnostic if the step has ``saveState="false"``: without a record it cannot be resumed."""
        if self.save_state is False:
            text = "a step that is not recorded cannot be resumed"
            yield self.node.problem("no-meaning", text, hint="remove saveState", attribute="saveState")
