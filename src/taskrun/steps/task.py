"""<task>: the root of a flow, a sequence with inputs and outputs.

    <task name="greet" version="1">
      <input name="who" type="str" mandatory="true"/>
      <steps>
        <step name="greet"><input name="who"/><source>'Hello, ' + who</source></step>
      </steps>
      <output name="greeting" value="${RESULT}"/>
    </task>

Its body uses the task's scope itself as its own, so what top-level steps export is seen by every step.
"""

from __future__ import annotations

from collections.abc import Awaitable

from taskrun.core.body import Body
from taskrun.core.completion import Completion
from taskrun.core.frame import Frame
from taskrun.core.step import Step, step


@step("task")
class Task(Step):
    """The root step of a flow or of a step library."""

    runs_all = True

    steps: Body

    def run(self, frame: Frame) -> Awaitable[Completion]:
        """Run the body."""
        return self.steps.run(frame)

    @property
    def may_suspend(self) -> bool:
        """Whether one of the steps may."""
        return self.steps.may_suspend
