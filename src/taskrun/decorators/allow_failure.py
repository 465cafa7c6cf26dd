"""allowFailure: the flow goes on when a step fails.

    <invoke name="notify" bean="mail" method="send" allowFailure="true"/>

Rules: the failure is logged; RESULT becomes null and the step's outputs leave existing variables as they are.
Cancellation passes.
"""

from __future__ import annotations

from taskrun.core.completion import NEXT, Completion
from taskrun.core.events import FailureIgnored
from taskrun.core.frame import Frame
from taskrun.core.step import Decorator, Inner, decorator
from taskrun.durable.compensation import held


@decorator("allowFailure", rank=100, attribute=True)
class AllowFailure(Decorator):
    """A failure that does not count."""

    may_suspend = False

    allow_failure: bool

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the step; when it fails, it has no result."""
        if not self.allow_failure:
            return await inner(frame)
        try:
            return await inner(frame)
        except Exception as error:
            run = frame.run
            again = run.recorder is not None and run.recorder.recorded(f"{frame.path}:handled") is not None
            if not held(run, error, frame.path, "allowFailure"):
                raise
            if again:
                return NEXT  # it was told before the run was resumed
            run.emit(FailureIgnored(run.run_id, frame.path, f"{type(error).__name__}: {error}", frame.at))
            return NEXT
