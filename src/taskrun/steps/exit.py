"""<exit>: leave the nearest enclosing sequence as a success.

    <exit name="done"><source>total</source></exit>

Rules: a sequence is a container that runs its steps one after the other. The value of the source becomes the RESULT of
the sequence; without a source it is null. Directly in the body of a loop the step ends the iteration, and the loop
continues with the next one. In a branch it ends the branch.
"""

from __future__ import annotations

from typing import ClassVar

from taskrun.core.completion import RESULT, Completion, Signal
from taskrun.core.frame import Frame
from taskrun.core.step import Step, step
from taskrun.core.traits import Traits
from taskrun.script.script import Script


@step("exit")
class Exit(Step):
    """Step ``<exit>``: ends the enclosing sequence as a success, with a value."""

    traits: ClassVar[Traits] = Traits(may_suspend=False, always_leaves=True, reads_only_scripts=True)

    source: Script | None = None

    async def run(self, frame: Frame) -> Completion:
        """Evaluate the source and return its value as RESULT, with the signal EXIT."""
        value = None if self.source is None else frame.eval(self.source)
        return Completion({RESULT: value}, Signal.EXIT)
