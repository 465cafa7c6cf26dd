"""<when>: leave a step out unless a condition holds.

    <when>total > 100</when>

Rules: it is evaluated in the scope of the caller, before the step's inputs. A step that is left out binds nothing,
exports nothing, leaves RESULT as it was, and its ``next`` is not followed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from taskrun.core.completion import NEXT, Completion
from taskrun.core.events import StepSkipped
from taskrun.core.fields import Own
from taskrun.core.frame import Frame
from taskrun.core.scope import Scope
from taskrun.core.step import Decorator, Inner, Step, decorator
from taskrun.core.step_note import StepNote


@decorator("when", rank=140)
class When(Decorator):
    """A condition on a step."""

    body: Own
    owner: Step | None = None

    def parts(self, step: Step) -> Iterable[Decorator]:
        """The condition of this very step."""
        yield dataclasses.replace(self, owner=step)

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Ask the condition and run the step when it holds."""
        if self._holds(frame):
            return await inner(frame)
        run, body = frame.run, self.body
        if run.traced and self.owner is not None:
            reason = f"when '{' '.join(body.text.split())}' was false"
            run.emit(StepSkipped(run.run_id, frame.path_of(self.owner.name), reason, body.node.at))
        return NEXT

    def _holds(self, frame: Frame) -> bool:
        body = self.body
        try:
            return bool(body.run(Scope(frame.scope) if body.stores else frame.scope))
        except Exception as error:
            if self.owner is not None:
                error.add_note(StepNote(frame.path_of(self.owner.name), self.owner.at))
            raise

    @property
    def may_suspend(self) -> bool:
        """It does not."""
        return False
