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
    """What the compiler, the weaver and durable runs have to know about a step type.

    A step class sets ``traits = Traits(…)`` for what differs from the defaults; see the module docstring.
    """

    aliases: tuple[str, ...] = ()
    """Other tags that mean the same step type; ``@step`` sets them."""
    may_suspend: bool = True
    """Whether ``run`` may await anything besides the steps inside; if False, the optimizer may avoid a coroutine."""
    children_jump: bool = True
    """Whether ``next`` and ``nextOnError`` of the steps inside mean jumps.

    False in a graph, where they are edges: they say which step depends on which.
    """
    children_continue: bool = True
    """Whether the steps inside run one after another, so that ``next`` makes sense; False for parallel branches."""
    concurrent_children: bool = False
    """Whether the steps inside run concurrently."""
    runs_all_children: bool = False
    """Whether the step, when it runs, always runs its inner steps one after another.

    Used to detect endless recursion.
    """
    always_leaves: bool = False
    """Whether the step always ends the body that contains it, as ``<exit>`` does.

    The steps behind it are never reached.
    """
    marks_handled: bool = False
    """Whether the engine need not find out which failures of inner steps this container has handled.

    True if the container never handles one, or marks those that it handles in the records itself.
    """
    reads_only_scripts: bool = False
    """Whether only scripts of the step can read its inputs, so that an input which no script mentions is unused."""

    def awaits(self, _step: Any) -> bool:
        """Return whether ``run`` of this step may await anything besides the steps inside.

        By default ``may_suspend``.
        """
        return self.may_suspend

    def contains_steps(self, step: Any) -> bool:
        """Return whether there are steps inside the step, in this file or, for a call, in the called file."""
        return next(iter(step.children()), None) is not None

    def suspends_run(self, step: Any) -> bool:
        """Return whether the run may be suspended at or after this step."""
        targets = (step.next, step.next_on_error, *(target for _, target in self.jumps(step)))
        return any(SIGNAL_TARGETS.get(target or "") is Signal.SUSPEND for target in targets)

    def jumps(self, _step: Any) -> Iterator[tuple[Step, str | None]]:
        """Yield the parts of the step that can jump to a sibling of the step, each with the name of the sibling.

        An example is the ``<case to="…">`` of a choose. Attributes ``next`` are not included.
        """
        return iter(())

    def has_compensation(self, step: Any) -> bool:
        """Return whether this step itself may have a compensation; the steps inside it are not considered."""
        return step.revert is not None

    def compensation_data(self, step: Any, frame: Frame) -> Mapping[str, Any] | None:
        """Return the values that the compensation of the step will need, None if the step has no compensation.

        Called when the step has succeeded; the values are kept until a rollback.
        """
        return None if step.revert is None else step.revert.compensation_data(frame)

    async def compensate(self, step: Any, frame: Frame, _completion: Completion) -> None:
        """Perform the compensation of the step: run its ``<revert>``.

        The scope of ``frame`` contains the values from ``compensation_data``, and the variables ``result``,
        ``outputs``, ``failure`` and ``failures``.
        """
        if step.revert is not None:
            await step.revert.run(frame)

    def children_in_run(self, step: Any, run: Run, _path: str) -> tuple[Run, Iterable[Step]]:
        """Return the steps inside this step, and the run to which they belong.

        For a call they are the steps of the called file; for a called task the run is one of its own. ``_path`` is the
        path of this step in ``run``.
        """
        return run, step.children()

    def requests(self, _step: Any, _item: Input) -> bool:
        """Return whether the input gets its value from the person or program that resumes the run.

        False for an ordinary input, which is evaluated when the step begins.
        """
        return False

    def requested_inputs(self, step: Any, _run: Run) -> tuple[Input, ...]:
        """Return the inputs of the step whose values the one who resumes the run has to give."""
        return tuple(item for item in step.inputs if self.requests(step, item))

    def reads_by_name(self, _step: Any) -> Iterator[str]:
        """Yield the names of variables that the step reads although none of its scripts mentions them."""
        return iter(())

    def reads_unknown(self, _step: Any) -> bool:
        """Return whether the step may read variables that the file does not mention.

        Then no variable can be called unused.
        """
        return False

    def provides(self, _step: Any, _context: LinkContext | None) -> frozenset[str] | None:
        """Return the names of variables that the step sets in its caller besides RESULT and its declared outputs.

        None means that only a run can tell. ``_context`` is None before the stage ``link``, when the beans are not
        known yet.
        """
        return frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoratorTraits:
    """What the compiler and the weaver have to know about a decorator type."""

    may_suspend: bool = True
    """Whether ``around`` may await anything besides the step; if False, the optimizer may avoid a coroutine."""
    moves_work: bool = False
    """Whether functions of the step, and of steps inside it, may run in a worker because of the decorator."""
    implied_in: tuple[str, ...] = ()
    """For an implied decorator: names of fields of WeaveSettings, one of which must be true; empty: always."""
    implied_by: tuple[str, ...] = ()
    """For an implied decorator: names of fields of the step, one of which must be set; empty: for all steps."""
    implied_if_recorded: bool | None = None
    """For an implied decorator: True if only recorded steps may have it, False if only unrecorded ones; None: both."""
    belongs_to_call: bool = False
    """For an implied decorator: whether it belongs to the call of a step by its container.

    The root of a flow and a library step that ``<call-step>`` calls do not have it then.
    """

    def parts(self, decorator: Any, _step: Step) -> Iterable[Decorator]:
        """Return the decorators to weave in place of one from the file: that one, or several with different ranks."""
        return (decorator,)

    def rank_of(self, _decorator: Any, part: Decorator) -> tuple[int, int]:
        """Return the rank of a decorator from ``parts``, and a number that orders decorators of the same rank."""
        return part.rank, getattr(part, "order", 0)
