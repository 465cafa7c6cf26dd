"""<step>: run a script.

    <step name="add">
      <input name="a"/>
      <source>return a + 1</source>
      <output name="sum"/>
    </step>

``<xpl>`` is its old name. The script's value is the step's RESULT. Without a source the step does nothing but bind its inputs and outputs. With
an ``executor`` the text and the step's variables are shipped there and what the script assigned is brought back.
"""

from __future__ import annotations

from taskrun.calls.remote_scripts import evaluated, run_elsewhere
from taskrun.core.completion import NEXT, Completion, completion_of
from taskrun.core.fields import AwaitingScript
from taskrun.core.frame import Frame
from taskrun.core.step import Step, step


@step("step", "xpl")
class ScriptStep(Step):
    """A script with inputs and outputs."""

    reads_only_scripts = True

    source: AwaitingScript | None = None

    async def run(self, frame: Frame) -> Completion:
        """Evaluate the source in the step's scope."""
        script = self.source
        if script is None:
            return NEXT
        if frame.executor is not None:
            return completion_of(await run_elsewhere(frame, script))
        return completion_of(await evaluated(script, frame.scope))

    @property
    def may_suspend(self) -> bool:  # type: ignore[override] # it depends on the script
        """Whether the source awaits (a step that runs elsewhere has an ``executor``, which may suspend itself)."""
        return self.source is not None and self.source.suspends
