"""<selector>: run steps in order until one has a result.

    <selector name="price">
      <steps>
        <step name="cache"><source>return cached</source></step>
        <invoke name="ask" bean="shop" method="price"/>
      </steps>
    </selector>

Rules: a step has a result when its RESULT is true in Python's sense, or when it has outputs but no RESULT. The first
such step determines the outputs of the selector, and the steps behind it are not run. A failed step counts as one
without result. If no step has a result, the selector ends as the last one did: with its outputs or its failure.
"""

from __future__ import annotations

from typing import ClassVar

from taskrun.core.completion import NEXT, Completion, Signal
from taskrun.core.frame import Frame
from taskrun.core.step import Step, step
from taskrun.core.traits import Traits


@step("selector")
class Selector(Step):
    """Step ``<selector>``: runs its steps in order until one has a result."""

    traits: ClassVar[Traits] = Traits(may_suspend=False, children_continue=False)

    steps: tuple[Step, ...]

    async def run(self, frame: Frame) -> Completion:
        """Run the steps until one has a result and return its outputs; raises the failure of the last step."""
        done = NEXT
        last = len(self.steps) - 1
        for position, child in enumerate(self.steps):
            try:
                done = await child.run(frame)
            except Exception:
                if position == last:
                    raise
                continue
            if done.signal is Signal.EXIT:
                return Completion(done.outputs)
            if done.signal is not Signal.NEXT or done.truthy:
                break
        return done._replace(target=None)
