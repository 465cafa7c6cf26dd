"""The body of a container: its ``<steps>``, which are run in order.

Rules: a step's completion may have a target: the name of the step to run next, instead of the following one. The signal
EXIT ends the body, and the container succeeds. END and SUSPEND also end it, and are returned to the container. The
outputs of the body are those of the last step that was run. If these lack RESULT, the variable RESULT of the
container's scope is used. After every ``TURN`` steps the event loop may run other asyncio tasks, so that a long body
can be cancelled.
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
"""After this many steps or iterations, a body or loop lets other asyncio tasks run, so that it can be cancelled."""


@dataclass(frozen=True, slots=True)
class Body:
    """The steps of a container that are run in order.

    A Body of the model contains steps. The weaver and the optimizer create copies of it, which contain the programs of
    the steps instead.
    """

    steps: tuple[Step, ...]
    positions: Mapping[str, int]
    """The index of each step in ``steps``, by its name."""
    may_suspend: bool
    """Whether running the body may await; always False in the model, whose bodies are never run."""
    syncs: tuple[Callable[[Frame], Completion] | None, ...] = field(repr=False)
    """The fast path of each step, None for a step that has none; set by the optimizer."""
    run_sync: Callable[[Frame], Completion] | None = field(default=None, repr=False)
    """The fast path of the whole body, None if it has none; set by the optimizer."""

    @classmethod
    def of(cls, steps: tuple[Any, ...]) -> Body:
        """Create a body that contains the given steps of the model."""
        return cls(steps, {step.name: position for position, step in enumerate(steps)}, False, (None,) * len(steps))

    @classmethod
    def of_programs(cls, programs: tuple[Any, ...]) -> Body:
        """Create a body that contains programs, for a woven or optimized container."""
        return replace(cls.of(programs), may_suspend=any(program.may_suspend for program in programs))

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    async def run(self, frame: Frame) -> Completion:
        """Run the steps in order and return the completion of the body; ``frame`` is the frame of the container."""
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
        """Count a visit of the step named ``target`` and return its index in the body.

        ``after`` is the index of the step that would have followed. At the first jump of an activation every step
        before it has been visited once; visits are counted only from then on. Raises RunError if the body has no step
        of that name.
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
        """Count a visit of the step at an index.

        Do nothing before the first jump: visits are not counted until then.
        """
        visits = frame.visits
        if visits is not None and position < len(self.steps):
            name = self.steps[position].name
            visits[name] = visits.get(name, 0) + 1


def with_result(done: Completion, frame: Frame) -> Completion:
    """Return the completion of a body: ``done``, the completion of its last step, with a RESULT if one is known.

    If ``done`` has no RESULT, the variable RESULT of the frame's scope is added, unless it is null.
    """
    if RESULT in done.outputs or frame.scope.get(RESULT) is None:
        return done
    return Completion({**done.outputs, RESULT: frame.scope[RESULT]})
