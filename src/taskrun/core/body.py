"""The body of a container: its ``<steps>``, run one after the other.

Rules: a completion may name the sibling to go to instead of the next one. ``@exit`` ends the body and is a normal
success for its owner; ``@end`` passes through it. The outputs are those of the last step; if it had no result or ignores
it, that is the variable RESULT of the owner's scope. Now and then the event loop gets its turn, so that a long body can
be cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from taskrun.core.completion import NEXT, RESULT, Completion, Signal
from taskrun.errors import RunError, near_hint

if TYPE_CHECKING:
    from taskrun.core.frame import Frame
    from taskrun.core.step import Step

TURN = 128
"""After how many steps or iterations the event loop gets a turn."""


@dataclass(frozen=True, slots=True)
class Body:
    """Steps to run in order, and where each name stands among them."""

    steps: tuple[Step, ...]
    positions: Mapping[str, int]

    @classmethod
    def of(cls, steps: tuple[Step, ...]) -> Body:
        """Return the body of these steps."""
        return cls(steps, {step.name: position for position, step in enumerate(steps)})

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    @property
    def may_suspend(self) -> bool:
        """Whether any of the steps may give up the event loop."""
        return any(step.may_suspend for step in self.steps)

    async def run(self, frame: Frame) -> Completion:
        """Run the steps in the frame of their container."""
        steps = self.steps
        count = len(steps)
        position = turns = 0
        jumped = False
        frame.visits = None
        done = NEXT
        while position < count:
            done = await steps[position].run(frame)
            if done.signal is not Signal.NEXT:
                return done if done.signal is not Signal.EXIT else Completion(done.outputs)
            if done.target is None:
                position += 1
                if jumped:
                    self._visit(frame, position)
            else:
                if not jumped:
                    frame.visits = {step.name: 1 for step in steps[: position + 1]}
                    jumped = True
                position = self._jump(done.target, frame)
            turns += 1
            if not turns % TURN:
                await asyncio.sleep(0)
        if RESULT in done.outputs or frame.scope.get(RESULT) is None:
            return done
        return Completion({**done.outputs, RESULT: frame.scope[RESULT]})

    def _jump(self, target: str, frame: Frame) -> int:
        if target not in self.positions:
            hint = near_hint(target, self.positions)
            raise RunError(f"there is no step '{target}' to go to here" + (f"; {hint}" if hint else ""))
        position = self.positions[target]
        self._visit(frame, position)
        return position

    def _visit(self, frame: Frame, position: int) -> None:
        visits = frame.visits
        if visits is not None and position < len(self.steps):
            name = self.steps[position].name
            visits[name] = visits.get(name, 0) + 1
