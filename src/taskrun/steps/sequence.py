"""Base class of the steps that only run a body: the root, ``<sequential>``, branches of ``<if>`` and ``<choose>``."""

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
    """Base class of the steps that run a body in order."""

    traits: ClassVar[Traits] = Traits(may_suspend=False, marks_handled=True)

    steps: Body

    def run(self, frame: Frame) -> Awaitable[Completion]:
        """Run the steps of the body in order and return the completion of the body."""
        return self.steps.run(frame)
