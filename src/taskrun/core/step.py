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
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeAlias, TypeVar, dataclass_transform

from taskrun.core.body import Body
from taskrun.core.completion import Completion
from taskrun.core.fields import FromElement, Text, field_types
from taskrun.core.inputs import Input
from taskrun.core.outputs import Output
from taskrun.core.revert import Revert
from taskrun.core.traits import DecoratorTraits, Traits
from taskrun.source import Location
from taskrun.syntax.node import Node

if TYPE_CHECKING:
    from taskrun.core.frame import Frame
    from taskrun.core.link_context import LinkContext
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
    """Whether the decorator is written as an attribute of the step instead of a child element."""
    traits: ClassVar[DecoratorTraits] = DecoratorTraits()

    @abstractmethod
    def around(self, frame: Frame, inner: Inner) -> Awaitable[Completion]:
        """Run ``inner(frame)`` in this decorator's way and return how it completed."""

    def stores(self) -> Iterator[str]:
        """Yield the names of the variables that this decorator sets in the step's scope."""
        return iter(())

    def analyze(self, _step: Step) -> Iterable[Diagnostic]:
        """Yield what is wrong with the settings that the schema cannot say."""
        return ()

    def link(self, _context: LinkContext, _step: Step) -> Iterable[Diagnostic]:
        """Yield the problems of what the settings name outside the file, such as an unknown bean."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpliedDecorator(Decorator):
    """A decorator that the weaver adds to the steps that need it, without a word in the file."""

    @classmethod
    @abstractmethod
    def implied(cls, step: Step, settings: WeaveSettings) -> Decorator | None:
        """Return the decorator of this class for a step, None if the step does not need it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(ABC):
    """A node of the program: fields and ``run``. These fields are what every step may carry."""

    tag: ClassVar[str] = ""
    traits: ClassVar[Traits] = Traits()

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
    inputs: Annotated[tuple[Input, ...], FromElement("input")] = ()
    outputs: Annotated[tuple[Output, ...], FromElement("output")] = ()
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

    def stores(self) -> Iterator[str]:
        """Yield the names of the variables that this step sets in its own scope, besides inputs and exports."""
        return iter(())

    def analyze(self) -> Iterable[Diagnostic]:
        """Yield what is wrong with this step that the schema cannot say and no script is needed for."""
        return ()

    def link(self, _context: LinkContext) -> Iterable[Diagnostic]:
        """Yield the problems of what this step names outside its file, such as an unknown bean."""
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
        made.tag = tag
        if aliases:
            made.traits = replace(made.traits, aliases=aliases)
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
