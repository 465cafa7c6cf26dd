"""The body of a container: its ``<steps>``, run one after the other.

Rules: a completion may name the sibling to go to instead of the next one. ``@exit`` ends the body and is a normal
success for its owner; ``@end`` passes through it. The outputs are those of the last step; if it had no result or ignores
it, that is the variable RESULT of the owner's scope. Now and then the event loop gets its turn, so that a long body can
be cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from taskrun.core.completion import NEXT, RESULT, Completion, Signal
from taskrun.errors import RunError, near_hint

if TYPE_CHECKING:
    from taskrun.core.frame import Frame
    from taskrun.core.step import Step

_NEXT = Signal.NEXT
TURN = 128
"""After how many steps or iterations the event loop gets a turn."""


@dataclass(frozen=True, slots=True)
class Body:
    """Steps to run in order, and where each name stands among them."""

    steps: tuple[Step, ...]
    positions: Mapping[str, int]
    nows: tuple[Callable[[Frame], Completion] | None, ...]

    @classmethod
    def of(cls, steps: tuple[Step, ...]) -> Body:
        """Return the body of these steps."""
        positions = {step.name: position for position, step in enumerate(steps)}
        return cls(steps, positions, tuple(step.now for step in steps))

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    @property
    def may_suspend(self) -> bool:
        """Whether any of the steps may give up the event loop."""
        return any(step.may_suspend for step in self.steps)

    async def run(self, frame: Frame) -> Completion:
        """Run the steps in the frame of their container."""
        steps, nows = self.steps, self.nows
        count = len(steps)
        position = turns = 0
        frame.begin_visits()
        done = NEXT
        while position < count:
            now = nows[position]
            done = await steps[position].run(frame) if now is None else now(frame)
            if done.signal is not _NEXT:
                return done if done.signal is not Signal.EXIT else Completion(done.outputs)
            position += 1
            if done.target is not None:
                position = self._jump(done.target, frame, position)
            elif frame.visits is not None:
                self._visit(frame, position)
            turns += 1
            if not turns % TURN:
                await asyncio.sleep(0)
        return _with_result(done, frame)

    @property
    def now(self) -> Callable[[Frame], Completion] | None:
        """Run the steps without a coroutine; None where one of them needs one, or where the event loop needs turns."""
        return None if None in self.nows or len(self.nows) >= TURN else self._run_now

    def _run_now(self, frame: Frame) -> Completion:
        nows: Any = self.nows
        count = len(nows)
        position = 0
        frame.begin_visits()
        done = NEXT
        while position < count:
            done = nows[position](frame)
            if done.signal is not _NEXT:
                return done if done.signal is not Signal.EXIT else Completion(done.outputs)
            position += 1
            if done.target is not None:
                position = self._jump(done.target, frame, position)
            elif frame.visits is not None:
                self._visit(frame, position)
        return _with_result(done, frame)

    def _jump(self, target: str, frame: Frame, after: int) -> int:
        """Return the position of a step to go to; the ``after`` first steps have been visited once by now."""
        if frame.visits is None:
            frame.visits = {step.name: 1 for step in self.steps[:after]}
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


def _with_result(done: Completion, frame: Frame) -> Completion:
    """Return how a body ended whose last step ended so: without a result of that, RESULT of the scope is the result."""
    if RESULT in done.outputs or frame.scope.get(RESULT) is None:
        return done
    return Completion({**done.outputs, RESULT: frame.scope[RESULT]})
