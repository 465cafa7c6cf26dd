"""<end>: end the whole task, successfully.

    <end name="done"><source>total</source></end>

The RESULT is the value of the source, null without one. The task ends with the value as its RESULT; a called task ends alone, not its caller. Branches of parallel, fork and graph only
end themselves.
"""

from __future__ import annotations

from typing import ClassVar

from taskrun.core.completion import RESULT, Completion, Signal
from taskrun.core.frame import Frame
from taskrun.core.step import Step, step
from taskrun.core.traits import Traits
from taskrun.script.script import Script


@step("end")
class End(Step):
    """A signal, with a value."""

    traits: ClassVar[Traits] = Traits(may_suspend=False, always_leaves=True, reads_only_scripts=True)

    source: Script | None = None

    async def run(self, frame: Frame) -> Completion:
        """Evaluate the source and give the signal."""
        value = None if self.source is None else frame.eval(self.source)
        return Completion({RESULT: value}, Signal.END)
