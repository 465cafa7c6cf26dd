"""Steps and decorators: the two verbs of the engine.

Rules: a step is ``run(frame) -> Completion``, a decorator is ``around(frame, inner) -> Completion``; everything else
is data. A class's typed fields are what the XML may say, its method is what that means. Both are immutable values:
``@step("sleep")`` and ``@decorator("retry", rank=40)`` make frozen, slotted, keyword-only dataclasses and remember the
tag; they register nothing.

    @step("shout")
    class Shout(Step):
        text: Expr                                  # attribute textExpr

        async def run(self, frame: Frame) -> Completion:
            return completion_of(str(frame.eval(self.text)).upper())
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeAlias, TypeVar, dataclass_transform

from taskrun.core.body import Body
from taskrun.core.completion import SIGNAL_TARGETS, Completion, Signal
from taskrun.core.fields import Element, Text, field_types, scripts_of
from taskrun.core.inputs import Input
from taskrun.core.outputs import Output
from taskrun.core.revert import Revert
from taskrun.script.script import Script
from taskrun.source import Location
from taskrun.syntax.node import Node

if TYPE_CHECKING:
    from taskrun.core.frame import Frame
    from taskrun.core.run import Run
    from taskrun.core.services import Host
    from taskrun.core.weave import WeaveSettings
    from taskrun.errors import Diagnostic

Inner: TypeAlias = "Callable[[Frame], Awaitable[Completion]]"
Class = TypeVar("Class", bound=type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decorator(ABC):
    """Something that works round a step: retry, timeout, catch … ``around`` is its whole meaning.

    ``rank`` orders decorators, smaller is nearer to the step; among equal ranks a field ``order``, then the order of
    the file.
    """

    tag: ClassVar[str] = ""
    rank: ClassVar[int] = 10
    attribute: ClassVar[bool] = False
    moves: ClassVar[bool] = False
    """Whether the steps inside may run elsewhere than on the event loop because of this."""

    may_suspend: ClassVar[bool] = True
    """Whether ``around`` itself may await anything but ``inner``. False only where it surely does not."""

    @abstractmethod
    def around(self, frame: Frame, inner: Inner) -> Awaitable[Completion]:
        """Run ``inner(frame)`` in this decorator's way and return how it completed."""

    def parts(self, _step: Step) -> Iterable[Decorator]:
        """Return the decorators to weave for this one, itself unless it works at several ranks."""
        return (self,)

    def rank_of(self, part: Decorator) -> tuple[int, int]:
        """Return the rank of one of its parts, and the order of the part among equal ranks."""
        return part.rank, getattr(part, "order", 0)

    @classmethod
    def implied(cls, _step: Step, _setting: WeaveSettings) -> Decorator | None:
        """Return the decorator of this class that goes round a step without being asked for; None for none."""
        return None

    def stores(self) -> Iterator[str]:
        """Yield the names of the variables that this decorator sets in the step's scope."""
        return iter(())

    def analyze(self, _step: Step) -> Iterable[Diagnostic]:
        """Yield what is wrong with the settings that the schema cannot say."""
        return ()

    def check(self, _host: Host, _step: Step) -> Iterable[Diagnostic]:
        """Yield what is wrong with the settings that only the host can know, such as an unknown bean."""
        return ()

    def scripts(self) -> Iterator[Script]:
        """Yield every script among the settings."""
        return scripts_of(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(ABC):
    """A node of the program: fields and ``run``. These fields are what every step may carry."""

    tag: ClassVar[str] = ""
    aliases: ClassVar[tuple[str, ...]] = ()
    may_suspend: ClassVar[bool] = True
    """Whether ``run`` itself may await anything but the steps inside. False only where it surely does not."""
    children_jump: ClassVar[bool] = True
    """Whether ``next`` and ``nextOnError`` of the steps inside are jumps (in a graph they are edges)."""
    children_go_on: ClassVar[bool] = True
    """Whether a step inside is followed by another, so that it can say by which."""
    concurrent_children: ClassVar[bool] = False
    always_leaves: ClassVar[bool] = False
    runs_all: ClassVar[bool] = False
    """Whether the steps inside run, one after the other or at once, whenever this one does."""
    reads_only_scripts: ClassVar[bool] = False
    """Whether nothing but the step's own scripts reads its inputs."""

    name: str = ""
    language: str = "python"
    node: Node = field(repr=False, compare=False)
    display_name: str | None = None
    description: Text | None = None
    tag_set: frozenset[str] = frozenset()
    next: str | None = None
    next_on_error: str | None = None
    error_name: str = "ERROR"
    wait_steps: frozenset[str] = frozenset()
    wait_error_steps: frozenset[str] = frozenset()
    use_parent_scope: bool | None = None
    ignore_result: bool = False
    record_metrics: bool = False
    inputs: Annotated[tuple[Input, ...], Element("input")] = ()
    outputs: Annotated[tuple[Output, ...], Element("output")] = ()
    decorators: tuple[Decorator, ...] = ()
    revert: Revert | None = None
    save_state: bool | None = None
    allow_start_if_complete: bool = False
    persis_vars: frozenset[str] = frozenset()

    @abstractmethod
    def run(self, frame: Frame) -> Awaitable[Completion]:
        """Do this step's work in the given frame and return how it completed."""

    @property
    def at(self) -> Location:
        """The step's place in its file."""
        return self.node.at

    def children(self) -> Iterator[Step]:
        """Yield the steps directly inside, in the order of the fields."""
        for name in child_fields(type(self)):
            value = getattr(self, name)
            if isinstance(value, Step):
                yield value
            elif value is not None:
                yield from value

    @property
    def holds_steps(self) -> bool:
        """Whether there are steps inside, in this file or in another."""
        return next(iter(self.children()), None) is not None

    @property
    def suspends(self) -> bool:
        """Whether the run may be suspended here."""
        targets = (self.next, self.next_on_error, *(target for _, target in self.jumps_of_parts()))
        return any(SIGNAL_TARGETS.get(target or "") is Signal.SUSPEND for target in targets)

    @property
    def undoes(self) -> bool:
        """Whether there may be something to undo when the step has succeeded, besides what steps inside it did."""
        return self.revert is not None

    def compensation_data(self, frame: Frame) -> Mapping[str, Any] | None:
        """Return what has to be kept for undoing this step, which has just succeeded; None when nothing can undo it."""
        return None if self.revert is None else self.revert.compensation_data(frame)

    async def undo(self, frame: Frame, _done: Completion) -> None:
        """Compensation what the step did when it completed so. The frame has what was kept, and what ``<revert>`` reads."""
        if self.revert is not None:
            await self.revert.run(frame)

    def inside(self, run: Run, _path: str) -> tuple[Run, Iterable[Step]]:
        """Return the steps inside, also those in other files, and the run that they belong to; ``path`` is this step's."""
        return run, self.children()

    def asks(self, _item: Input) -> bool:
        """Whether an input is not bound when the step begins, because the step itself asks somebody for it."""
        return False

    def asked(self, _run: Run) -> tuple[Input, ...]:
        """Return the inputs that the step asks somebody for."""
        return tuple(item for item in self.inputs if self.asks(item))

    def scripts(self) -> Iterator[Script]:
        """Yield this step's own scripts (not those of its inputs, outputs, decorators and children)."""
        return scripts_of(self)

    def stores(self) -> Iterator[str]:
        """Yield the names of the variables that this step sets in its own scope, besides inputs and exports."""
        return iter(())

    def reads_by_name(self) -> Iterator[str]:
        """Yield the names of the variables that the step reads without a script saying so."""
        return iter(())

    @property
    def reads_unknown(self) -> bool:
        """Whether the step may read variables that its file does not name."""
        return False

    def provides(self, _host: Host | None) -> frozenset[str] | None:
        """Return the variables of its caller that the step sets besides its declared outputs and RESULT.

        None when only the run can tell; ``host`` is None as long as beans are not known. A step that may ever set any
        must not say that it is none without a host.
        """
        return frozenset()

    def jumps_of_parts(self) -> Iterator[tuple[Step, str | None]]:
        """Yield the parts of this step (such as a case) that name a sibling of the step to go to, with its name."""
        return iter(())

    def analyze(self) -> Iterable[Diagnostic]:
        """Yield what is wrong with this step that the schema cannot say and no script is needed for."""
        return ()

    def check(self, _host: Host) -> Iterable[Diagnostic]:
        """Yield what is wrong with this step that only the host can know, such as an unknown bean."""
        return ()


@dataclass_transform(frozen_default=True, kw_only_default=True)
def base(cls: Class) -> Class:
    """Make a class that step types, or decorators, share: its fields are theirs, no element is bound to it."""
    made: Any = dataclass(frozen=True, slots=True, kw_only=True)(cls)
    return made  # type: ignore[no-any-return]


@dataclass_transform(frozen_default=True, kw_only_default=True)
def step(tag: str, *aliases: str) -> Callable[[Class], Class]:
    """Make a class a step type: a frozen dataclass that the element ``<tag>`` (or an alias) is bound to."""

    def make(cls: Class) -> Class:
        made: Any = base(cls)
        made.tag, made.aliases = tag, aliases
        return made  # type: ignore[no-any-return]

    return make


@dataclass_transform(frozen_default=True, kw_only_default=True)
def decorator(tag: str, *, rank: int, attribute: bool = False) -> Callable[[Class], Class]:
    """Make a class a decorator, bound to the child element ``<tag>`` of a step, or to the step's attribute ``tag``."""

    def make(cls: Class) -> Class:
        made: Any = base(cls)
        made.tag, made.rank, made.attribute = tag, rank, attribute
        return made  # type: ignore[no-any-return]

    return make


def walk(step: Step) -> Iterator[Step]:
    """Yield the step and every step inside it, in the order of the file."""
    waiting = [step]
    while waiting:
        yield (found := waiting.pop())
        waiting.extend(reversed(list(found.children())))


@cache
def child_fields(cls: type[Step]) -> tuple[str, ...]:
    """Return the names of the fields of a step class that contain steps."""
    return tuple(name for name, found in field_types(cls).items() if found.holds(Step, Body))
