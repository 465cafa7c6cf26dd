"""<validator>: a script that refuses a step by raising.

    <validator>assert amount > 0, 'the amount must be positive'</validator>

Rules: it sees the step's inputs and runs before ``onEnter``. Its value is ignored; what it raises is the step's failure.
"""

from __future__ import annotations

from taskrun.core.completion import Completion
from taskrun.core.fields import Own
from taskrun.core.frame import Frame
from taskrun.core.step import Decorator, Inner, decorator


@decorator("validator", rank=91)
class Validator(Decorator):
    """A check before a step."""

    body: Own

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the script, then the step."""
        frame.eval(self.body)
        return await inner(frame)

    @property
    def may_suspend(self) -> bool:
        """It does not."""
        return False
