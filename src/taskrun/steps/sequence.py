"""What the steps share that are a sequence and nothing more: the root, ``<sequential>``, and the branches of ``<if>``."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import ClassVar

from taskrun.core.body import Body
from taskrun.core.completion import Completion
from taskrun.core.frame import Frame
from taskrun.core.step import Step, base
from taskrun.core.traits import Traits


@base
class Sequence(Step):
    """Steps in order."""

    traits: ClassVar[Traits] = Traits(may_suspend=False, marks_handled=True)

    steps: Body

    def run(self, frame: Frame) -> Awaitable[Completion]:
        """Run the body."""
        return self.steps.run(frame)
