"""<when>: leave a step out unless a condition holds.

    <when>total > 100</when>

Rules: it is evaluated in the scope of the caller, before the step's inputs. A step that is left out binds nothing,
exports nothing, leaves RESULT as it was, and its ``next`` is not followed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import ClassVar

from taskrun.core.completion import NEXT, Completion
from taskrun.core.events import StepSkipped
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
    """The traits of ``<when>``: it knows the step that it is a condition of."""

    __slots__ = ()

    def parts(self, decorator: When, step: Step) -> Iterable[Decorator]:
        """Return the condition with its step."""
        yield dataclasses.replace(decorator, owner=step)


@decorator("when", rank=140)
class When(Decorator):
    """A condition on a step."""

    traits: ClassVar[DecoratorTraits] = WhenTraits(may_suspend=False)

    body: Own
    owner: Step | None = None

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Ask the condition and run the step when it holds."""
        run, body, owner = frame.run, self.body, self.owner
        reason = f"when '{' '.join(body.text.split())}' was false"
        journal = run.journal
        holds = self._remembered(frame, journal, reason) if isinstance(journal, Recorder) else self._holds(frame)
        if holds:
            return await inner(frame)
        if run.traced and owner is not None:
            run.emit(StepSkipped(run.run_id, frame.path_of(owner.name), reason, body.node.at))
        return NEXT

    def _remembered(self, frame: Frame, recorder: Recorder, reason: str) -> bool:
        """Whether the step is run: a resumed run asks only where it has not been yet."""
        key = frame.path_of(self.owner.name if self.owner else "")
        known = recorder.recorded(key)
        if known is not None and known.state is StepState.RUNNING and not recorder.flow_changed:
            return True
        if known is None or recorder.flow_changed:
            holds = self._holds(frame)
            if known is None and not holds:
                recorder.note(StepRecord(key, "step", StepState.SKIPPED, note=reason, ended=now()))
            if known is not None and holds is (known.state is StepState.SKIPPED):
                before, after = ("left out", "done") if holds else ("done", "left out")
                raise recorder.abort(DecisionChangedError(key, before, known.note, after, self.body.text))
            return holds
        return known.state is not StepState.SKIPPED

    def _holds(self, frame: Frame) -> bool:
        body = self.body
        try:
            return bool(body.run(Scope(frame.scope) if body.stores else frame.scope))
        except Exception as error:
            if self.owner is not None:
                error.add_note(StepNote(frame.path_of(self.owner.name), self.owner.at))
            raise
