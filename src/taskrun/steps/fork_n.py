"""<fork-n>: run the same steps concurrently, n times.

    <fork-n name="three" countExpr="3" indexName="i">
      <steps><step name="square"><input name="i"/><source>i * i</source></step></steps>
    </fork-n>

Rules: the same as for ``<fork>``, with a number (``countExpr``) instead of a collection. The variable ``indexName`` has
the number of the branch, from 0.
"""

from __future__ import annotations

from collections.abc import Awaitable

from taskrun.core.completion import Completion
from taskrun.core.fields import Expr
from taskrun.core.frame import Frame
from taskrun.core.step import step
from taskrun.steps.fork import BaseFork


@step("fork-n")
class ForkN(BaseFork):
    """Step ``<fork-n>``: runs its body in a given number of concurrent branches."""

    count: Expr

    def run(self, frame: Frame) -> Awaitable[Completion]:
        """Evaluate the count, a decision of a recorded run, and run the body that many times."""
        count = frame.remember("count", lambda: self._evaluate_count(frame), self.count.text)
        return self.fork(frame, range(count))

    def _evaluate_count(self, frame: Frame) -> int:
        """Return the value of the count; raises ValueError when it is not a whole number from 0."""
        count = frame.eval(self.count)
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise ValueError(f"countExpr of '{self.name}' gave {count!r}; a whole number from 0 is expected")
        return count
