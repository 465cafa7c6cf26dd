"""<loop-n>: run steps for each number from one to another, both included.

    <loop-n name="down" beginExpr="3" endExpr="1" stepExpr="-1" varName="n">
      <steps><step name="show"><input name="n"/><source>n</source></step></steps>
    </loop-n>

Rules: ``stepExpr`` is the distance between two numbers; if it is missing or null, it is 1, and 0 is an error. The
variable ``varName``, the number, is in the scope of the loop.
"""

from __future__ import annotations

from collections.abc import Awaitable

from taskrun.core.completion import Completion
from taskrun.core.fields import Expr
from taskrun.core.frame import Frame
from taskrun.core.step import step
from taskrun.steps.loop import BaseLoop


@step("loop-n")
class LoopN(BaseLoop):
    """Step ``<loop-n>``: runs its body for each number of a range."""

    begin: Expr
    end: Expr
    step: Expr | None = None

    def run(self, frame: Frame) -> Awaitable[Completion]:
        """Run the body for each number from ``beginExpr`` to ``endExpr``; a resumed run uses the recorded numbers."""
        recorded = ("numbers", lambda: self._numbers(frame), f"{self.begin.text} {self.end.text}")
        return self.iterate(frame, range(*frame.remember(*recorded)))

    def _numbers(self, frame: Frame) -> list[int]:
        """Evaluate the attributes and return the arguments of ``range``: begin, end (not included) and step.

        Raises TypeError if one of them is not a whole number, ValueError for a step of 0.
        """
        begin, end = frame.eval(self.begin), frame.eval(self.end)
        step = 1 if self.step is None else frame.eval(self.step)
        step = 1 if step is None else step
        for name, value in (("beginExpr", begin), ("endExpr", end), ("stepExpr", step)):
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"{name} of '{self.name}' gave {value!r}; a whole number is expected")
        if step == 0:
            raise ValueError(f"stepExpr of '{self.name}' gave 0: the loop would never end")
        return [begin, end + (1 if step > 0 else -1), step]
