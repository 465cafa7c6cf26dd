"""<onEnter>: a script that runs each time a step is entered, before its body and after the validator.

    <onEnter>logInfo("starting {}", order)</onEnter>

Rules: it runs once, before waiting for permits and before the first attempt. Its value is ignored; what it raises is the
step's failure.
"""

from __future__ import annotations

from taskrun.core.completion import Completion
from taskrun.core.fields import Own
from taskrun.core.frame import Frame
from taskrun.core.step import Decorator, Inner, decorator


@decorator("onEnter", rank=90)
class OnEnter(Decorator):
    """A script on entry."""

    body: Own

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the script, then the step."""
        frame.eval(self.body)
        return await inner(frame)

    @property
    def may_suspend(self) -> bool:
        """It does not."""
        return False
