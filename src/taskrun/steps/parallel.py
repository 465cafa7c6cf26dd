"""<parallel>: run different steps concurrently.

    <parallel name="both" joinType="allSuccess">
      <steps>
        <step name="a"><source>return 1</source></step>
        <step name="b"><source>return 2</source></step>
      </steps>
      <aggregator>return aggResults.getSuccessStepResultValues()</aggregator>
    </parallel>

Rules: each step is a branch. ``STEP_RESULTS`` has the results by step name; they are also the RESULT, unless an
``aggregator`` returns another value. ``steps/join.py`` explains ``joinType``. ``next``, ``@exit`` and ``@end`` of a
step have no effect on the other steps: the name of the next step is only stored as ``nextStepName`` in the result.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import TYPE_CHECKING, ClassVar, cast

from taskrun.core.completion import Completion
from taskrun.core.frame import Frame
from taskrun.core.step import Step, step
from taskrun.core.traits import Traits
from taskrun.errors import Diagnostic
from taskrun.steps.join import BranchingStep, join

if TYPE_CHECKING:
    from taskrun.core.weave import Program


@step("parallel")
class Parallel(BranchingStep):
    """Step ``<parallel>``: runs each of its steps in a concurrent branch."""

    traits: ClassVar[Traits] = Traits(
        may_suspend=False,
        children_continue=False,
        concurrent_children=True,
        runs_all_children=True,
        marks_handled=True,
    )

    steps: tuple[Step, ...]

    def run(self, frame: Frame) -> Awaitable[Completion]:
        """Run every step in a branch, join the branches, and return the completion."""
        programs = cast("tuple[Program, ...]", self.steps)
        specs = (
            (child.name, child.run_sync or child.run, frame, child.may_suspend, child.run_sync is not None)
            for child in programs
        )
        order = {child.name: position for position, child in enumerate(programs)}
        return join(frame, self, specs, order)

    def analyze(self) -> Iterable[Diagnostic]:
        """Yield a diagnostic if there is no step."""
        if not self.steps:
            yield self.node.problem("no-steps", "<parallel> needs at least one step in <steps>")
