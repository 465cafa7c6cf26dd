"""<if>: do one thing or another.

    <if name="big">
      <condition>n > 100</condition>
      <then><steps>…</steps></then>
      <else><steps>…</steps></else>
    </if>

``then`` and ``else`` are sequences with scopes of their own; a missing one does nothing.
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
    """What is done when the condition holds."""


@step("else")
class Else(Sequence):
    """What is done when the condition does not hold."""


@step("if")
class If(Step):
    """One of two branches."""

    traits: ClassVar[Traits] = Traits(may_suspend=False, marks_handled=True)

    condition: Script
    then: Then | None = None
    else_: Else | None = None

    async def run(self, frame: Frame) -> Completion:
        """Evaluate the condition and run its branch."""
        holds = frame.remember("condition", lambda: bool(frame.eval(self.condition)), self.condition.text)
        branch = self.then if holds else self.else_
        return NEXT if branch is None else await branch.run(frame)
