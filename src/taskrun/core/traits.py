"""Traits: what the engine has to know about a step or decorator type besides its ``run`` or ``around``.

    @step("race")
    class Race(Step):
        traits = Traits(concurrent_children=True)

Rules: every trait has a default that is right for an ordinary step, so most authors need none. A fact that depends on
the step (what its compensation needs, which steps of another file it runs) is a method; a subclass of ``Traits``
overrides it. Traits have no state: one object serves all steps of a type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from taskrun.core.completion import SIGNAL_TARGETS, Completion, Signal

if TYPE_CHECKING:
    from taskrun.core.frame import Frame
    from taskrun.core.inputs import Input
    from taskrun.core.link_context import LinkContext
    from taskrun.core.run import Run
    from taskrun.core.step import Decorator, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """Facts about a step type that the compiler, the weaver and the durable runs need; see the module docstring."""

    aliases: tuple[str, ...] = ()
    """Further tags of the step type."""
    may_suspend: bool = True
    """Whether ``run`` awaits anything besides the steps inside."""
    children_jump: bool = True
    """Whether ``next`` and ``nextOnError`` of the steps inside are jumps; in a graph they are edges."""
    children_continue: bool = True
    """Whether a step inside is followed by another one, so that it may choose the next step."""
    concurrent_children: bool = False
    """Whether steps inside run concurrently."""
    runs_all_children: bool = False
    """Whether all steps inside run whenever this one does."""
    always_leaves: bool = False
    """Whether the step always ends the body that contains it."""
    marks_handled: bool = False
    """Whether the step never handles a failure of a step inside, or marks those that it handles itself."""
    reads_only_scripts: bool = False
    """Whether only the scripts of the step read its inputs."""

    def awaits(self, _step: Any) -> bool:
        """Return whether ``run`` of this step awaits anything besides the steps inside."""
        return self.may_suspend

    def contains_steps(self, step: Any) -> bool:
        """Return whether there are steps inside the step, in this file or in another."""
        return next(iter(step.children()), None) is not None

    def suspends_run(self, step: Any) -> bool:
        """Return whether the run may be suspended at this step."""
        targets = (step.next, step.next_on_error, *(target for _, target in self.jumps(step)))
        return any(SIGNAL_TARGETS.get(target or "") is Signal.SUSPEND for target in targets)

    def jumps(self, _step: Any) -> Iterator[tuple[Step, str | None]]:
        """Yield the parts of the step, such as a case, that jump to a sibling of it, with the name of the sibling."""
        return iter(())

    def has_compensation(self, step: Any) -> bool:
        """Return whether the step itself may have a compensation, not counting the steps inside it."""
        return step.revert is not None

    def compensation_data(self, step: Any, frame: Frame) -> Mapping[str, Any] | None:
        """Return the variables that compensating the step, just succeeded, needs; None without a compensation."""
        return None if step.revert is None else step.revert.compensation_data(frame)

    async def compensate(self, step: Any, frame: Frame, _completion: Completion) -> None:
        """Compensate the step; the scope has the compensation data and the variables that ``<revert>`` can read."""
        if step.revert is not None:
            await step.revert.run(frame)

    def children_in_run(self, step: Any, run: Run, _path: str) -> tuple[Run, Iterable[Step]]:
        """Return the run to which the steps inside this step belong, and these steps, which may be in another file.

        ``path`` is that of the step.
        """
        return run, step.children()

    def requests(self, _step: Any, _item: Input) -> bool:
        """Return whether the caller of ``resume`` must supply the input; other inputs are bound when the step begins."""
        return False

    def requested_inputs(self, step: Any, _run: Run) -> tuple[Input, ...]:
        """Return the inputs that the step requests from the caller of ``resume``."""
        return tuple(item for item in step.inputs if self.requests(step, item))

    def reads_by_name(self, _step: Any) -> Iterator[str]:
        """Yield the names of the variables that the step reads in addition to those that its scripts mention."""
        return iter(())

    def reads_unknown(self, _step: Any) -> bool:
        """Return whether the step may read variables that its file does not name."""
        return False

    def provides(self, _step: Any, _context: LinkContext | None) -> frozenset[str] | None:
        """Return the variables of its caller that the step sets besides RESULT and its declared outputs.

        None if only the run can tell; ``context`` is None before the stage link, when beans are not known.
        """
        return frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoratorTraits:
    """Facts about a decorator type that the compiler and the weaver need."""

    may_suspend: bool = True
    """Whether ``around`` awaits anything besides the step."""
    moves_work: bool = False
    """Whether the decorated step, and steps inside it, may run elsewhere than on the event loop."""
    implied_in: tuple[str, ...] = ()
    """Fields of WeaveSettings: an implied decorator is needed only where one of them is true; empty for everywhere."""
    implied_by: tuple[str, ...] = ()
    """Fields of a step: an implied decorator is needed only for steps with one of them; empty for all steps."""

    def parts(self, decorator: Any, _step: Step) -> Iterable[Decorator]:
        """Return the decorators to weave in place of a decorator: itself, or several with different ranks."""
        return (decorator,)

    def rank_of(self, _decorator: Any, part: Decorator) -> tuple[int, int]:
        """Return the rank of a part of a decorator, and its order among decorators of the same rank."""
        return part.rank, getattr(part, "order", 0)
