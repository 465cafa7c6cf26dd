"""<sequential>: run steps one after the other.

    <sequential name="both">
      <steps>
        <step name="one"><source>return 1</source></step>
        <step name="two"><input name="RESULT"/><source>return RESULT + 2</source></step>
      </steps>
    </sequential>

Each step's value becomes RESULT in the sequence's scope; the last one's is the sequence's own.
"""

from __future__ import annotations

from collections.abc import Awaitable

from taskrun.core.body import Body
from taskrun.core.completion import Completion
from taskrun.core.frame import Frame
from taskrun.core.step import Step, step


@step("sequential")
class Sequential(Step):
    """Steps in order; ``next`` of a step, or its completion, may name the one to go to."""

    runs_all = True

    steps: Body

    def run(self, frame: Frame) -> Awaitable[Completion]:
        """Run the body."""
        return self.steps.run(frame)

    @property
    def may_suspend(self) -> bool:
        """Whether one of the steps may."""
        return self.steps.may_suspend
