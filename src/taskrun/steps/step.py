"""<step>: run a script.

    <step name="add">
      <input name="a"/>
      <source>return a + 1</source>
      <output name="sum"/>
    </step>

Rules: ``<xpl>`` is an older name of the tag. The value of the script is the RESULT. Without a source the step only
evaluates its inputs and outputs. With an ``executor`` the text and the variables that it reads are sent there, and the
variables that the script assigned are copied back.
"""

from __future__ import annotations

from typing import ClassVar

from taskrun.calls.remote_scripts import evaluate_async, run_elsewhere
from taskrun.core.completion import NEXT, Completion, completion_of
from taskrun.core.fields import AwaitingScript
from taskrun.core.frame import Frame
from taskrun.core.step import Step, step
from taskrun.core.traits import Traits


class ScriptTraits(Traits):
    """Traits of ``<step>``: it awaits if its script does."""

    __slots__ = ()

    def awaits(self, step: ScriptStep) -> bool:
        """Return whether the script contains ``await``."""
        return step.source is not None and step.source.suspends


@step("step", "xpl")
class ScriptStep(Step):
    """Step ``<step>``: evaluates a script, with inputs and outputs."""

    traits: ClassVar[Traits] = ScriptTraits(reads_only_scripts=True)

    source: AwaitingScript | None = None

    async def run(self, frame: Frame) -> Completion:
        """Evaluate the source in the scope of the step."""
        script = self.source
        if script is None:
            return NEXT
        if frame.executor is not None:
            return completion_of(await run_elsewhere(frame, script))
        return completion_of(await evaluate_async(script, frame.scope))
