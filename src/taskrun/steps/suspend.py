"""<suspend>: stop the run here until somebody resumes it.

    <suspend name="approve" displayName="Shall the order be paid?">
      <input name="approved" type="bool" mandatory="true"/>
      <input name="amount" value="${order.amount}"/>
      <resume-when>approved is not None</resume-when>
      <output name="approved"/>
    </suspend>

Rules: the run ends as SUSPENDED and says what it waits for. An input without ``value`` and ``source`` is asked for: it is
given when the run is resumed (``taskrun resume RUN --input approved=true``), and checked as the inputs of a task are. The
step has succeeded when ``resume-when`` holds (it does without one); else the run is suspended again. Its RESULT is a
mapping of what was given. Steps that run at the same time are run to their end first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from taskrun.core.completion import RESULT, Completion, Signal
from taskrun.core.frame import Frame
from taskrun.core.inputs import Input, admitted
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
    """The traits of ``<suspend>``: it suspends the run and requests inputs."""

    __slots__ = ()

    def suspends_run(self, _step: Step) -> bool:
        """Return True."""
        return True

    def requests(self, _step: Step, item: Input) -> bool:
        """Return whether the file gives the input no value."""
        return item.by_name


@step("suspend")
class Suspend(Step):
    """A pause until the run is resumed."""

    traits: ClassVar[Traits] = SuspendTraits()

    resume_when: Script | None = None

    async def run(self, frame: Frame) -> Completion:
        """Wait, or go on with what was given."""
        recorder = recorder_of(frame.run)
        given = self._given(frame, recorder)
        if given is not None:
            frame.scope.update(given)
            script = self.resume_when
            if script is None or frame.eval(script):
                return Completion({RESULT: given})
        key = frame.path
        recorder.wait_points.append(
            WaitPoint(key, self._title(), tuple(map(RequestedInput.of, self.traits.requested_inputs(self, frame.run))))
        )
        recorder.note(StepRecord(key, "step", StepState.SUSPENDED, note=self._title(), started=now()))
        return Completion(signal=Signal.SUSPEND)

    def _given(self, frame: Frame, recorder: Recorder) -> Mapping[str, Any] | None:
        """Return what was given to go on with, None when the run has come here first or nothing was meant for here."""
        record = recorder.recorded(f"{frame.path}:given")
        if record is None:
            return None
        values = {**recorder.value(record.outputs), **recorder.resume_inputs}
        return admitted(self.traits.requested_inputs(self, frame.run), values, frame.scope)

    def _title(self) -> str:
        return self.display_name or (self.description or "").strip() or self.name

    def analyze(self) -> Iterable[Diagnostic]:
        """It cannot be left out of the records."""
        if self.save_state is False:
            text = "a step that is not recorded cannot be resumed"
            yield self.node.problem("no-meaning", text, hint="take saveState out", attribute="saveState")
