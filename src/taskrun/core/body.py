"""The body of a container: its ``<steps>``, run one after the other.

Rules: a completion may name the sibling to go to instead of the next one. ``@exit`` ends the body and is a normal
success for its owner; ``@end`` passes through it. The outputs are those of the last step; if it had no result or
ignores it, the result is the variable RESULT of the owner's scope. Every ``TURN`` steps the event loop gets a turn, so
that a long body can be cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from taskrun.core.completion import NEXT, RESULT, Completion, Signal
from taskrun.errors import RunError, near_hint

if TYPE_CHECKING:
    from taskrun.core.frame import Frame
    from taskrun.core.step import Step

_NEXT = Signal.NEXT
TURN = 128
"""The number of steps or iterations after which the event loop gets a turn."""


@dataclass(frozen=True, slots=True)
class Body:
    """Steps to run in order: steps in a model, their programs in a program."""

    steps: tuple[Step, ...]
    positions: Mapping[str, int]
    """The position of each step by its name."""
    may_suspend: bool
    """Whether a program of the body may await; False in a model, which does not run."""
    syncs: tuple[Callable[[Frame], Completion] | None, ...] = field(repr=False)
    """The ``run_sync`` of each step; only the optimizer sets them."""
    run_sync: Callable[[Frame], Completion] | None = field(default=None, repr=False)
    """The function that runs the body in a frame without a coroutine; only the optimizer sets it."""

    @classmethod
    def of(cls, steps: tuple[Any, ...]) -> Body:
        """Return the body of a model with these steps."""
        return cls(steps, {step.name: position for position, step in enumerate(steps)}, False, (None,) * len(steps))

    @classmethod
    def of_programs(cls, programs: tuple[Any, ...]) -> Body:
        """Return the body of a program with the programs of its steps."""
        return replace(cls.of(programs), may_suspend=any(program.may_suspend for program in programs))

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    async def run(self, frame: Frame) -> Completion:
        """Run the steps in the frame of their container."""
        steps, syncs = self.steps, self.syncs
        count = len(steps)
        position = turns = 0
        frame.begin_visits()
        done = NEXT
        while position < count:
            run_sync = syncs[position]
            done = await steps[position].run(frame) if run_sync is None else run_sync(frame)
            if done.signal is not _NEXT:
                return done if done.signal is not Signal.EXIT else Completion(done.outputs)
            position += 1
            if done.target is not None:
                position = self.jump(done.target, frame, position)
            elif frame.visits is not None:
                self.visit(frame, position)
            turns += 1
            if not turns % TURN:
                await asyncio.sleep(0)
        return with_result(done, frame)

    def jump(self, target: str, frame: Frame, after: int) -> int:
        """Return the position of the step to go to, and count its visit; the ``after`` first steps were visited once.

        Raises RunError when there is no such step.
        """
        if frame.visits is None:
            frame.visits = {step.name: 1 for step in self.steps[:after]}
        if target not in self.positions:
            hint = near_hint(target, self.positions)
            raise RunError(f"there is no step '{target}' to go to here" + (f"; {hint}" if hint else ""))
        position = self.positions[target]
        self.visit(frame, position)
        return position

    def visit(self, frame: Frame, position: int) -> None:
        """Count a visit of the step at a position, once a step of the body has jumped."""
        visits = frame.visits
        if visits is not None and position < len(self.steps):
            name = self.steps[position].name
            visits[name] = visits.get(name, 0) + 1


def with_result(done: Completion, frame: Frame) -> Completion:
    """Return the completion of a body whose last step completed as ``done``: its RESULT defaults to that of the scope."""
    if RESULT in done.outputs or frame.scope.get(RESULT) is None:
        return done
    return Completion({**done.outputs, RESULT: frame.scope[RESULT]})
