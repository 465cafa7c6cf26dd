"""<if>: do one thing or another.

    <if name="big">
      <condition>n > 100</condition>
      <then><steps>…</steps></then>
      <else><steps>…</steps></else>
    </if>

``then`` and ``else`` are sequences with scopes of their own; a missing one does nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from taskrun.core.completion import NEXT, Completion
from taskrun.core.frame import Frame
from taskrun.core.step import Step, step
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

    marks_handled = True

    condition: Script
    then: Then | None = None
    else_: Else | None = None

    async def run(self, frame: Frame) -> Completion:
        """Evaluate the condition and run its branch."""
        holds = frame.remember("condition", lambda: bool(frame.eval(self.condition)), self.condition.text)
        branch = self.then if holds else self.else_
        return NEXT if branch is None else await branch.run(frame)

    @property
    def now(self) -> Callable[[Frame], Completion] | None:
        """The same without a coroutine, where no branch needs one."""
        return None if any(child.now is None for child in self.children()) else self._run_now

    def _run_now(self, frame: Frame) -> Completion:
        branch = self.then if frame.eval(self.condition) else self.else_
        return NEXT if branch is None or branch.now is None else branch.now(frame)

    @property
    def may_suspend(self) -> bool:
        """Whether one of the branches may."""
        return any(child.may_suspend for child in self.children())
