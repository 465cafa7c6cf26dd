"""The body of a container: its ``<steps>``, which are run in order.

Rules: the target of a completion is the step to run next, instead of the following one. The signal EXIT ends the body
and is a normal success for its container; END and SUSPEND are returned to the container. The outputs of the body are
those of its last step; if that has no RESULT, the variable RESULT of the container's scope is used. After every
``TURN`` steps other tasks of the event loop may run, so that a long body can be cancelled.
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
"""The number of steps or iterations after which other tasks of the event loop may run."""


@dataclass(frozen=True, slots=True)
class Body:
    """Steps to run in order; in a program, these are the programs of the steps."""

    steps: tuple[Step, ...]
    positions: Mapping[str, int]
    """The index of each step in ``steps``, by its name."""
    may_suspend: bool
    """Whether a program of the body may await; False in a model, which does not run."""
    syncs: tuple[Callable[[Frame], Completion] | None, ...] = field(repr=False)
    """The ``run_sync`` of each step, None if it has none; only the optimizer sets them."""
    run_sync: Callable[[Frame], Completion] | None = field(default=None, repr=False)
    """The function that runs the body in a frame without a coroutine; only the optimizer sets it."""

    @classmethod
    def of(cls, steps: tuple[Any, ...]) -> Body:
        """Create the body of a model from its steps."""
        return cls(steps, {step.name: position for position, step in enumerate(steps)}, False, (None,) * len(steps))

    @classmethod
    def of_programs(cls, programs: tuple[Any, ...]) -> Body:
        """Create the body of a program from the programs of its steps."""
        return replace(cls.of(programs), may_suspend=any(program.may_suspend for program in programs))

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    async def run(self, frame: Frame) -> Completion:
        """Run the steps in the frame of their container and return the completion of the body."""
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
        """Count a visit of the step ``target`` and return its position.

        Parameters: ``after`` is the number of steps visited before the first jump, each of them once. Raises RunError
        if the body has no such step.
        """
        if frame.visits is None:
            frame.visits = {step.name: 1 for step in self.steps[:after]}
        if target not in self.positions:
            hint = near_hint(target, self.positions) or "it has: " + ", ".join(self.positions)
            raise RunError(f"cannot jump to '{target}': the body of {frame.path} has no such step; {hint}")
        position = self.positions[target]
        self.visit(frame, position)
        return position

    def visit(self, frame: Frame, position: int) -> None:
        """Count a visit of the step at a position, if a step of the body has jumped already."""
        visits = frame.visits
        if visits is not None and position < len(self.steps):
            name = self.steps[position].name
            visits[name] = visits.get(name, 0) + 1


def with_result(done: Completion, frame: Frame) -> Completion:
    """Return the completion of a body after its last step, whose completion is ``done``.

    If the step has no RESULT, the variable RESULT of the frame's scope is used.
    """
    if RESULT in done.outputs or frame.scope.get(RESULT) is None:
        return done
    return Completion({**done.outputs, RESULT: frame.scope[RESULT]})
