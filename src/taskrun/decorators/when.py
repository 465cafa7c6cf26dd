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


@decorator("when", rank=140)
class When(Decorator):
    """A condition on a step."""

    body: Own
    step_name: str = ""

    def parts(self, step: Step) -> Iterable[Decorator]:
        """The condition of this very step."""
        yield dataclasses.replace(self, step_name=step.name)

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Ask the condition and run the step when it holds."""
        body = self.body
        scope = Scope(frame.scope) if body.stores else frame.scope
        if body.run(scope):
            return await inner(frame)
        run = frame.run
        if run.traced:
            reason = f"when '{' '.join(body.text.split())}' was false"
            run.emit(StepSkipped(run.run_id, frame.path_of(self.step_name), reason, body.node.at))
        return NEXT

    @property
    def may_suspend(self) -> bool:
        """It does not."""
        return False
