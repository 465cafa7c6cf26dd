"""<if>: run one body or another, depending on a condition.

    <if name="big">
      <condition>n > 100</condition>
      <then><steps>…</steps></then>
      <else><steps>…</steps></else>
    </if>

Rules: ``then`` and ``else`` are sequences with scopes of their own; either may be missing. In a recorded run the value
of the condition is a decision: a resumed run takes the same branch.
"""

from __future__ import annotations

from typing import ClassVar

from taskrun.core.completion import NEXT, Completion
from taskrun.core.frame import Frame
from taskrun.core.step import Step, step
from taskrun.core.traits import Traits
from taskrun.script.script import Script
from taskrun.steps.sequence import Sequence


@step("then")
class Then(Sequence):
    """Branch ``<then>`` of an ``<if>``: runs if the condition is true."""


@step("else")
class Else(Sequence):
    """Branch ``<else>`` of an ``<if>``: runs if the condition is false."""


@step("if")
class If(Step):
    """Step ``<if>``: runs one of two branches, depending on a condition."""

    traits: ClassVar[Traits] = Traits(may_suspend=False, marks_handled=True)

    condition: Script
    then: Then | None = None
    else_: Else | None = None

    async def run(self, frame: Frame) -> Completion:
        """Evaluate the condition and run ``then`` or ``else``; complete without outputs if that branch is missing."""
        is_true = frame.remember("condition", lambda: bool(frame.eval(self.condition)), self.condition.text)
        branch = self.then if is_true else self.else_
        return NEXT if branch is None else await branch.run(frame)
