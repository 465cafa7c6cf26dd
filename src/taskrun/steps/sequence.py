"""What the steps share that are a sequence and nothing more: the root, ``<sequential>``, and the branches of ``<if>``."""

from __future__ import annotations

from collections.abc import Awaitable

from taskrun.core.body import Body
from taskrun.core.completion import Completion
from taskrun.core.frame import Frame
from taskrun.core.step import Step, base


@base
class Sequence(Step):
    """Steps in order."""

    marks_handled = True
    may_suspend = False

    steps: Body

    def run(self, frame: Frame) -> Awaitable[Completion]:
        """Run the body."""
        return self.steps.run(frame)
