"""allowFailure: continue the flow although the step failed.

    <invoke name="notify" bean="mail" method="send" allowFailure="true"/>

Rules: the observers of the run are told of the failure. RESULT becomes null; the variables to which the step would have
exported its declared outputs keep their values. A cancelled step is not continued.
"""

from __future__ import annotations

from typing import ClassVar

from taskrun.core.completion import NEXT, Completion
from taskrun.core.frame import Frame
from taskrun.core.step import Decorator, Inner, decorator
from taskrun.core.traits import DecoratorTraits
from taskrun.durable.compensation import mark_handled, may_handle


@decorator("allowFailure", rank=100, attribute=True)
class AllowFailure(Decorator):
    """Decorator for ``allowFailure``: a failed step completes without outputs, and the flow continues."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(may_suspend=False)

    allow_failure: bool

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the step; when it fails, emit FailureIgnored and return a completion without outputs."""
        if not self.allow_failure:
            return await inner(frame)
        try:
            return await inner(frame)
        except Exception as error:
            run = frame.run
            if not may_handle(run, error):
                raise
            was_reported = frame.recorded("handled") is not None  # in an earlier execution of the run
            mark_handled(run, frame.path, "allowFailure")
            if was_reported:
                return NEXT
            from taskrun.core.events import FailureIgnored

            run.emit(FailureIgnored(run.run_id, frame.path, f"{type(error).__name__}: {error}", frame.at))
            return NEXT
