"""Put each step's decorators round it: the step that runs is the outermost one.

Rules: the order is the rank, smaller is nearer to the step; among equal ranks the ``order``, then the order of the
file. A step that asks for no decorator gets none but those that every step needs. Decorators do not hold what they
wrap. The program is woven once for each way to run it (watched or not, recorded or not), so that watching and recording
cost nothing to those who do not.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from taskrun.core.body import Body
from taskrun.core.step import Decorator, Step

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from taskrun.core.completion import Completion
    from taskrun.core.frame import Frame

LIBRARY_RANK = 100
"""The outermost rank that a library's step keeps when another flow calls it."""


class Program(Protocol):
    """Something that runs: a step, or a step with decorators round it."""

    @property
    def name(self) -> str:
        """The step's name."""

    @property
    def model(self) -> Step:
        """The step without its decorators."""

    @property
    def may_suspend(self) -> bool:
        """Whether running it may give up the event loop."""

    @property
    def run(self) -> Callable[[Frame], Awaitable[Completion]]:
        """Run it in a frame."""

    @property
    def now(self) -> Callable[[Frame], Completion] | None:
        """Run it in a frame without a coroutine; None for what cannot be run so."""


@dataclass(frozen=True, slots=True)
class WeaveSettings:
    """How a program is woven: watched or not, and what stands round the step in question."""

    traced: bool = False
    recorded: bool = False
    saves: bool = True
    """Whether steps that do not say it are recorded (``defaultSaveState``)."""
    undoes: bool = False
    """Whether anything in the flow can be undone."""
    check_mutation: bool = False
    """Whether steps are watched for changes to what they are given."""
    concurrent: bool = False
    """Whether the step stands in a branch of several that run at once."""
    root: bool = False
    jumps: bool = True
    outermost: int | None = None
    in_foreign_container: bool = False
    """Whether the enclosing container does not mark handled failures itself."""
    moved: bool = False
    """Whether the step stands in one with an ``executor``, so that what it calls may run elsewhere."""

    def saved(self, step: Step) -> bool:
        """Whether the end of the step is recorded."""
        return self.recorded and (self.saves if step.save_state is None else step.save_state)


class Woven:
    """A decorator round a step."""

    __slots__ = ("decorator", "inner", "may_suspend", "model", "name", "now", "run")

    now: Callable[[Frame], Completion] | None
    run: Callable[[Frame], Awaitable[Completion]]

    def __init__(self, decorator: Decorator, inner: Program, moved: bool = False) -> None:
        around, inner_run = decorator.around, inner.run
        self.decorator = decorator
        self.inner = inner
        self.name = inner.name
        self.model = inner.model
        self.may_suspend = moved or decorator.may_suspend or inner.may_suspend

        def run(frame: Frame) -> Awaitable[Completion]:
            return around(frame, inner_run)

        self.run = run
        self.now = None
        if decorator.has_now and inner.now is not None and not moved:
            self.now = _around_now(decorator.around_now, inner.now)

    def layers(self) -> Iterator[Decorator]:
        """Yield the decorators from the outermost to the one next to the step."""
        program: Any = self
        while isinstance(program, Woven):
            yield program.decorator
            program = program.inner


class Weaver:
    """Weaves steps; ``implying`` are the decorator classes that put themselves round steps without being asked."""

    def __init__(self, implying: Iterable[type[Decorator]]) -> None:
        self.implying = tuple(implying)

    def weave(self, step: Step, setting: WeaveSettings) -> Program:
        """Return the step with its decorators round it, and the same done to every step inside."""
        moved = setting.moved or any(item.moves for item in step.decorators)
        concurrent = setting.concurrent or step.concurrent_children
        inner = dataclasses.replace(
            setting,
            root=False,
            jumps=step.children_jump,
            outermost=None,
            moved=moved,
            concurrent=concurrent,
            in_foreign_container=not step.marks_handled,
        )
        program: Program = _with_children(step, lambda child: self.weave(child, inner))
        for item in self.decorators(step, setting):
            program = (None if moved else item.fused(program)) or Woven(item, program, moved)
        return program

    def decorators(self, step: Step, setting: WeaveSettings) -> list[Decorator]:
        """Return a step's decorators from the innermost to the outermost."""
        found: list[Decorator] = []
        for item in step.decorators:
            found.extend(item.parts(step))
        for cls in self.implying:
            implied = cls.implied(step, setting)
            if implied is not None:
                found.append(implied)
        if setting.outermost is not None:
            found = [item for item in found if item.rank <= setting.outermost]
        if len(found) > 1:
            found.sort(key=_place)
        return found


def _around_now(around: Any, inner: Any) -> Callable[[Frame], Completion]:
    def now(frame: Frame) -> Completion:
        return around(frame, inner)  # type: ignore[no-any-return]

    return now


def _place(item: Decorator) -> tuple[int, int]:
    return item.rank, getattr(item, "order", 0)


def _with_children(step: Step, weave: Callable[[Step], Program]) -> Any:
    changes: dict[str, Any] = {}
    for name in step.child_fields:
        value: Any = getattr(step, name)
        if isinstance(value, Step):
            changes[name] = weave(value)
        elif isinstance(value, Body):
            changes[name] = Body.of(tuple(map(weave, value.steps)))  # type: ignore[arg-type]
        elif type(value) is tuple and value and isinstance(value[0], Step):
            changes[name] = tuple(map(weave, value))
    return dataclasses.replace(step, **changes) if changes else step
