"""Weave each step of a model with its decorators; the result is a tree of programs.

Rules: decorators are ordered by rank, smaller is nearer to the step; equal ranks by ``order``, then by their order in
the file. Implied decorators are added to those of the file, each only to the steps that need it. The model is woven
separately for each kind of run: with or without observers, recorded or not. So a run does not pay for decorators that
it does not need. A woven program runs as coroutines only; the stage ``optimize`` adds the fast paths.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from taskrun.core.body import Body
from taskrun.core.step import Decorator, ImpliedDecorator, Step, child_fields

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from taskrun.core.completion import Completion
    from taskrun.core.frame import Frame

RunAsync: TypeAlias = "Callable[[Frame], Awaitable[Completion]]"
RunSync: TypeAlias = "Callable[[Frame], Completion]"

Implying: TypeAlias = "list[tuple[type[ImpliedDecorator], bool | None, tuple[str, ...]]]"
"""Classes of implied decorators, each with ``implied_if_recorded`` and ``implied_by`` of its traits."""

_RANK = itemgetter(0)
LIBRARY_RANK = 100
"""The greatest rank of the decorators that a library step keeps when ``<call-step>`` calls it.

The ``<call-step>`` has the outer decorators itself.
"""


class Program(Protocol):
    """What a run executes for one step: the step itself, or the step wrapped in its decorators (protocol)."""

    @property
    def name(self) -> str:
        """The name of the step."""

    @property
    def model(self) -> Step:
        """The step of the model that this program was made from."""

    @property
    def may_suspend(self) -> bool:
        """Whether running the program may await, because of the step, a decorator around it or a step inside it."""

    @property
    def run(self) -> RunAsync:
        """The function that runs the program in a frame; its result is awaited and is the completion."""

    @property
    def run_sync(self) -> RunSync | None:
        """The fast path: a function that runs the program in a frame and returns the completion directly.

        None if there is none.
        """


@dataclass(frozen=True, slots=True)
class WeaveSettings:
    """What the weaver has to know besides the step: the kind of run, and where the step is located."""

    traced: bool = False
    """Whether observers receive the events of the run."""
    recorded: bool = False
    """Whether the run is recorded in a store."""
    saves: bool = True
    """Whether steps without the attribute ``saveState`` are recorded: the task's ``defaultSaveState``."""
    compensates: bool = False
    """Whether any step of the flow may have a compensation, so that the containers need decorators for rollbacks."""
    suspends: bool = False
    """Whether any step of the flow may suspend the run, so that steps may need the decorator for it."""
    check_mutation: bool = False
    """Whether a step fails if it changes the value of an input in place."""
    concurrent: bool = False
    """Whether the step is inside one of several branches that run concurrently."""
    root: bool = False
    """Whether the step is the root of the flow."""
    jumps: bool = True
    """Whether ``next`` and ``nextOnError`` of the step mean jumps to a sibling; in a graph they are edges instead."""
    outermost: int | None = None
    """Decorators with a greater rank are left out, for a library step that is called; None: all are woven."""
    in_foreign_container: bool = False
    """Whether the engine has to find out which failures of the step its container has handled.

    It has to if the run is recorded or compensates, and the container does not mark them itself
    (``Traits.marks_handled``).
    """
    moved: bool = False
    """Whether the step is inside a step with the attribute ``executor``, so that its functions may run in a worker."""

    @property
    def called(self) -> bool:
        """Whether the container of the step calls it; False for the root and a step that ``<call-step>`` calls."""
        return not self.root and self.outermost is None

    def saved(self, step: Step) -> bool:
        """Return whether the end of the step is recorded.

        It is if the run is recorded and ``saveState`` of the step, or else its default ``saves``, is true.
        """
        return self.recorded and (self.saves if step.save_state is None else step.save_state)


class StepProgram:
    """Program of a step without its decorators.

    ``model`` is the step of the model. ``step`` is a copy of it, whose fields contain the programs of the inner steps.
    """

    __slots__ = ("may_suspend", "model", "moved", "name", "run", "run_sync", "step")

    def __init__(self, model: Step, step: Step, moved: bool = False, run_sync: RunSync | None = None) -> None:
        """Create the program of ``model``; ``step`` is its copy that contains programs.

        ``moved`` is the field of WeaveSettings, ``run_sync`` the fast path.
        """
        self.model: Step = model
        self.step: Step = step
        self.name: str = model.name
        self.moved: bool = moved
        self.may_suspend: bool = (
            moved or step.traits.awaits(model) or any(child.may_suspend for child in self.children())
        )
        self.run: RunAsync = step.run
        self.run_sync: RunSync | None = run_sync

    def children(self) -> Iterator[Program]:
        """Yield the programs of the inner steps, in the order of the fields of the step."""
        for name in child_fields(type(self.step)):
            value = getattr(self.step, name)
            if isinstance(value, Body | tuple):
                yield from value  # type: ignore[misc] # the body of a program contains programs
            elif value is not None:
                yield value


class Woven:
    """Program that consists of a decorator and the program ``inner`` inside it."""

    __slots__ = ("decorator", "inner", "may_suspend", "model", "name", "run", "run_sync")

    def __init__(
        self, decorator: Decorator, inner: Program, run: RunAsync | None = None, run_sync: RunSync | None = None
    ) -> None:
        """Wrap ``inner`` in ``decorator``.

        ``run`` and ``run_sync`` are faster functions of the optimizer, which do the same as ``decorator.around``.
        """
        self.decorator: Decorator = decorator
        self.inner: Program = inner
        self.name: str = inner.name
        self.model: Step = inner.model
        self.may_suspend: bool = decorator.traits.may_suspend or inner.may_suspend
        self.run: RunAsync = run or around(decorator, inner)
        self.run_sync: RunSync | None = run_sync

    def layers(self) -> Iterator[Decorator]:
        """Yield this program's decorators from the outermost to the innermost."""
        program: Any = self
        while isinstance(program, Woven):
            yield program.decorator
            program = program.inner


def around(decorator: Decorator, inner: Program) -> RunAsync:
    """Return the function that runs ``inner`` inside the decorator, by calling ``decorator.around``."""
    run_around, run_inner = decorator.around, inner.run

    def run(frame: Frame) -> Awaitable[Completion]:
        return run_around(frame, run_inner)

    return run


class Weaver:
    """Weaves steps; ``implying`` are the classes of all implied decorators."""

    def __init__(self, implying: Iterable[type[ImpliedDecorator]]) -> None:
        self._implying = tuple(implying)

    def weave(self, step: Step, settings: WeaveSettings) -> Program:
        """Return the program of a step with its decorators; the steps inside it are woven too."""
        return self._weave(step, settings, self._implied_in(settings))

    def _weave(self, step: Step, settings: WeaveSettings, implying: Implying) -> Program:
        """Weave a step; ``implying`` are the implied decorators that ``settings`` allow."""
        moved = settings.moved or any(item.traits.moves_work for item in step.decorators)
        woven = step
        if child_fields(type(step)):
            inner = dataclasses.replace(
                settings,
                root=False,
                jumps=step.traits.children_jump,
                outermost=None,
                moved=moved,
                concurrent=settings.concurrent or step.traits.concurrent_children,
                in_foreign_container=(settings.recorded or settings.compensates) and not step.traits.marks_handled,
            )
            implying_inside = self._implied_in(inner)
            woven = with_children(step, lambda child: self._weave(child, inner, implying_inside))
        program: Program = StepProgram(step, woven, moved)
        for item in _decorators_of(step, settings, implying):
            program = Woven(item, program)
        return program

    def _implied_in(self, settings: WeaveSettings) -> Implying:
        """Return the classes of the implied decorators that the settings allow, with what their steps must have."""
        return [
            (cls, cls.traits.implied_if_recorded, cls.traits.implied_by)
            for cls in self._implying
            if (settings.called or not cls.traits.belongs_to_call)
            and (not cls.traits.implied_in or any(getattr(settings, name) for name in cls.traits.implied_in))
        ]


def _decorators_of(step: Step, settings: WeaveSettings, implying: Implying) -> list[Decorator]:
    """Return all decorators of a step, of the file and implied ones, from the innermost to the outermost."""
    found: list[tuple[tuple[int, int], Decorator]] = []
    for item in step.decorators:
        traits = item.traits
        found.extend((traits.rank_of(item, part), part) for part in traits.parts(item, step))
    saved = settings.saved(step)
    for cls, recorded, names in implying:
        if (recorded is None or recorded is saved) and (not names or any(getattr(step, name) for name in names)):
            implied = cls.implied(step, settings)
            if implied is not None:
                found.append(((implied.rank, 0), implied))
    found.sort(key=_RANK)
    outermost = settings.outermost
    return [item for rank, item in found if outermost is None or rank[0] <= outermost]


def with_children(
    step: Step, program_of: Callable[[Any], Program], body_of: Callable[[tuple[Program, ...]], Body] = Body.of_programs
) -> Any:
    """Return a copy of the step that contains ``program_of(child)`` instead of each child.

    ``body_of`` creates a body from programs. A step without children is returned itself.
    """
    changes: dict[str, Any] = {}
    for name in child_fields(type(step)):
        value: Any = getattr(step, name)
        if isinstance(value, Body):
            changes[name] = body_of(tuple(map(program_of, value.steps)))
        elif type(value) is tuple:
            changes[name] = tuple(map(program_of, value))
        elif value is not None:
            changes[name] = program_of(value)
    return dataclasses.replace(step, **changes) if changes else step
