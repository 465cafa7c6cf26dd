"""<when>: skip a step unless a condition is true.

    <when>total > 100</when>

Rules: the condition can read the variables of the caller. It is evaluated before the inputs of the step, so it cannot
read them. A skipped step evaluates no inputs and exports nothing, RESULT keeps its value, and the flow continues with
the following step, whatever ``next`` says.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import ClassVar

from taskrun.core.completion import NEXT, Completion
from taskrun.core.fields import Own
from taskrun.core.frame import Frame
from taskrun.core.journal import StepRecord
from taskrun.core.scope import Scope
from taskrun.core.states import StepState
from taskrun.core.step import Decorator, Inner, Step, decorator
from taskrun.core.timers import now
from taskrun.core.traceback_notes import StepNote
from taskrun.core.traits import DecoratorTraits
from taskrun.durable.recorder import Recorder
from taskrun.errors import DecisionChangedError


class WhenTraits(DecoratorTraits):
    """Traits of ``<when>``: the decorator that is woven knows its step, whose name it needs for records and events."""

    __slots__ = ()

    def parts(self, decorator: When, step: Step) -> Iterable[Decorator]:
        """Yield the decorator to weave: a copy of ``decorator`` whose field ``owner`` is the step."""
        yield dataclasses.replace(decorator, owner=step)


@decorator("when", rank=140)
class When(Decorator):
    """Decorator for ``<when>``: skips the step unless a condition is true."""

    traits: ClassVar[DecoratorTraits] = WhenTraits(may_suspend=False)

    body: Own
    owner: Step | None = None

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Evaluate the condition, and run the step if it is true; else return a completion without outputs.

        In a recorded run the condition is a decision: a resumed run uses the recorded one.
        """
        run, body, owner = frame.run, self.body, self.owner
        reason = f"when '{' '.join(body.text.split())}' was false"
        journal = run.journal
        is_true = (
            self._recorded_decision(frame, journal, reason) if isinstance(journal, Recorder) else self._is_true(frame)
        )
        if is_true:
            return await inner(frame)
        if run.traced and owner is not None:
            from taskrun.core.events import StepSkipped

            run.emit(StepSkipped(run.run_id, frame.path_of(owner.name), reason, body.node.at))
        return NEXT

    def _recorded_decision(self, frame: Frame, recorder: Recorder, reason: str) -> bool:
        """Return whether the step has to run: by the record of the step if there is one, else by the condition.

        If the file of the flow has changed since, the condition is evaluated again; raises DecisionChangedError if it
        differs from the record. ``reason`` is the note to record when the step is skipped.
        """
        key = frame.path_of(self.owner.name if self.owner else "")
        earlier = recorder.recorded(key)
        if earlier is not None and earlier.state is StepState.RUNNING and not recorder.flow_changed:
            return True
        if earlier is None or recorder.flow_changed:
            is_true = self._is_true(frame)
            if earlier is None and not is_true:
                recorder.note(StepRecord(key, "step", StepState.SKIPPED, note=reason, ended=now()))
            if earlier is not None and is_true is (earlier.state is StepState.SKIPPED):
                before, after = ("left out", "done") if is_true else ("done", "left out")
                raise recorder.abort(DecisionChangedError(key, before, earlier.note, after, self.body.text))
            return is_true
        return earlier.state is not StepState.SKIPPED

    def _is_true(self, frame: Frame) -> bool:
        """Return whether the condition is true; an exception that it raises gets a note with the path of the step."""
        body = self.body
        try:
            return bool(body.run(Scope(frame.scope) if body.stores else frame.scope))
        except Exception as error:
            if self.owner is not None:
                error.add_note(StepNote(frame.path_of(self.owner.name), self.owner.at))
            raise
