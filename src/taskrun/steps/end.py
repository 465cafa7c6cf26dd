"""<end>: end the whole task as a success.

    <end name="done"><source>total</source></end>

Rules: the value of the source becomes the RESULT of the task; without a source it is null. If the task was called by
another one, the caller continues. In a branch of ``parallel``, ``fork`` or ``graph`` the step ends only the branch.
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
    """Step ``<end>``: ends the task as a success, with a value."""

    traits: ClassVar[Traits] = Traits(may_suspend=False, always_leaves=True, reads_only_scripts=True)

    source: Script | None = None

    async def run(self, frame: Frame) -> Completion:
        """Evaluate the source and return its value as RESULT, with the signal END."""
        value = None if self.source is None else frame.eval(self.source)
        return Completion({RESULT: value}, Signal.END)
