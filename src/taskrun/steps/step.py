"""<step>: run a script.

    <step name="add">
      <input name="a"/>
      <source>return a + 1</source>
      <output name="sum"/>
    </step>

Rules: the value of the script is the RESULT. Without a source the step only evaluates its inputs and outputs. With the
attribute ``executor`` the text of the script and the variables that it reads are sent to a worker; the variables that
the script assigned are copied back. ``<xpl>`` is an older name of the tag.
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
    """Traits of ``<step>``: whether it may wait depends on its script."""

    __slots__ = ()

    def awaits(self, step: ScriptStep) -> bool:
        """Return whether the script contains ``await``, so that the step needs a coroutine."""
        return step.source is not None and step.source.suspends


@step("step", "xpl")
class ScriptStep(Step):
    """Step ``<step>``: evaluates a script, whose value is the RESULT."""

    traits: ClassVar[Traits] = ScriptTraits(reads_only_scripts=True)

    source: AwaitingScript | None = None

    async def run(self, frame: Frame) -> Completion:
        """Evaluate the script and return its value as RESULT; without a script, complete without outputs."""
        script = self.source
        if script is None:
            return NEXT
        if frame.executor is not None:
            return completion_of(await run_elsewhere(frame, script))
        return completion_of(await evaluate_async(script, frame.scope))
