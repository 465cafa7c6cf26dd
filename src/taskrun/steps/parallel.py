"""<parallel>: run different steps at the same time.

    <parallel name="both" joinType="allSuccess">
      <steps>
        <step name="a"><source>return 1</source></step>
        <step name="b"><source>return 2</source></step>
      </steps>
      <aggregator>return aggResults.getSuccessStepResultValues()</aggregator>
    </parallel>

``STEP_RESULTS`` has the results by step name. A step's ``@exit``, ``@end`` or ``next`` does not cross the join: it is only
kept as ``nextStepName`` in its result. How branches are joined: ``steps/join.py``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable

from taskrun.core.completion import Completion
from taskrun.core.frame import Frame
from taskrun.core.step import Step, step
from taskrun.errors import Diagnostic
from taskrun.steps.join import Joining, join


@step("parallel")
class Parallel(Joining):
    """Concurrent branches, one for each step."""

    children_go_on = False
    concurrent_children = True
    runs_all = True

    steps: tuple[Step, ...]

    def run(self, frame: Frame) -> Awaitable[Completion]:
        """Start every step and join them."""
        starts = (
            (child.name, child.now or child.run, frame, child.may_suspend, child.now is not None)
            for child in self.steps
        )
        order = {child.name: position for position, child in enumerate(self.steps)}
        return join(frame, self, starts, order)

    @property
    def may_suspend(self) -> bool:
        """Whether one of the branches may."""
        return any(child.may_suspend for child in self.steps)

    def analyze(self) -> Iterable[Diagnostic]:
        """A parallel step has steps."""
        if not self.steps:
            yield self.node.problem("no-steps", "<parallel> needs at least one step in <steps>")
