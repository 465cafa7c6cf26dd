"""Base classes of steps and decorators: ``Step`` and ``Decorator``, and the functions that make classes of them.

A step type is a class with typed fields, which are the attributes and child elements that its XML may have, and a
method ``run``, which performs the step. A decorator type is the same with a method ``around``, which runs a step in its
own way. ``@step("sleep")`` and ``@decorator("retry", rank=40)`` make frozen, slotted, keyword-only dataclasses and set
the tag; they register nothing.

    @step("shout")
    class Shout(Step):
        text: Expr                                  # attribute textExpr

        async def run(self, frame: Frame) -> Completion:
            return completion_of(str(frame.eval(self.text)).upper())

A ``Step`` has eight names for authors. Only ``run`` has to be written; most step types leave the others as they are.

    run(frame)        perform the step and return its completion
    children()        the steps directly inside, found by the types of the fields
    stores()          names of variables that the step sets in its own scope
    analyze()         problems of the step that the schema cannot express
    link(context)     problems of names outside the file, such as an unknown bean
    at                location of the step in its file
    tag               name of the element
    traits            what the engine has to know besides ``run`` (``core.traits``)

A ``Decorator`` has eight too, of which only ``around`` has to be written:

    around(frame, inner)            run the step with ``inner(frame)`` and return its completion
    stores(), analyze(step), link(context, step), tag, traits      as for a step
    rank                            position among the decorators of a step: a smaller one is nearer to the step
    attribute                       whether it is written as an attribute instead of a child element

The classes describe a flow and are immutable: everything that changes during a run is in the frame or in the run.
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
    """Base class of the decorators, which wrap a step: retry, timeout, catch.

    Decorators are ordered by ``rank``, smaller is nearer to the step; equal ranks by a field ``order`` if there is one,
    then by their order in the file.
    """

    tag: ClassVar[str] = ""
    rank: ClassVar[int] = 10
    attribute: ClassVar[bool] = False
    """Whether the decorator is written as an attribute of the step instead of a child element."""
    traits: ClassVar[DecoratorTraits] = DecoratorTraits()

    @abstractmethod
    def around(self, frame: Frame, inner: Inner) -> Awaitable[Completion]:
        """Run the wrapped step by calling ``inner(frame)``, any number of times, and return the completion."""

    def stores(self) -> Iterator[str]:
        """Yield the names of the variables that this decorator sets in the scope of the step."""
        return iter(())

    def analyze(self, _step: Step) -> Iterable[Diagnostic]:
        """Yield the problems of the settings that the schema cannot express."""
        return ()

    def link(self, _context: LinkContext, _step: Step) -> Iterable[Diagnostic]:
        """Yield the problems of names outside the file that the settings refer to, such as an unknown bean."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpliedDecorator(Decorator):
    """Base class of the decorators that the weaver adds to steps although the file does not mention them."""

    @classmethod
    @abstractmethod
    def implied(cls, step: Step, settings: WeaveSettings) -> Decorator | None:
        """Return the decorator of this class for a step, None if the step does not need it.

        The weaver calls it only where ``traits.implied_in`` and ``traits.implied_by`` allow the decorator.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(ABC):
    """Base class of the steps: a node of the model, with the fields that every step may have."""

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
        """Execute the step in the given frame and return its completion; an exception is the failure of the step."""

    @property
    def at(self) -> Location:
        """The location of the step in its file."""
        return self.node.at

    def children(self) -> Iterator[Step]:
        """Yield the steps directly inside this one, in the order of the fields."""
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
        """Yield the problems of this step that the schema cannot express; scripts are not evaluated."""
        return ()

    def link(self, _context: LinkContext) -> Iterable[Diagnostic]:
        """Yield the problems of names outside the file that this step refers to, such as an unknown bean."""
        return ()


@dataclass_transform(frozen_default=True, kw_only_default=True)
def base(cls: Class) -> Class:
    """Make a class the common base of step or decorator types: a frozen dataclass without a tag."""
    made: Any = dataclass(frozen=True, slots=True, kw_only=True)(cls)
    return made  # type: ignore[no-any-return]


@dataclass_transform(frozen_default=True, kw_only_default=True)
def step(tag: str, *aliases: str) -> Callable[[Class], Class]:
    """Make a class a step type: a frozen dataclass that the elements ``<tag>`` and ``<alias>`` are bound to."""

    def make(cls: Class) -> Class:
        made: Any = base(cls)
        made.tag = tag
        if aliases or "traits" not in vars(cls):  # aliases are not inherited
            made.traits = replace(made.traits, aliases=aliases)
        return made  # type: ignore[no-any-return]

    return make


@dataclass_transform(frozen_default=True, kw_only_default=True)
def decorator(tag: str, *, rank: int, attribute: bool = False) -> Callable[[Class], Class]:
    """Make a class a decorator type, bound to the child element ``<tag>`` of a step or to its attribute ``tag``."""

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
    return tuple(name for name, found in field_types(cls).items() if found.is_a(Step, Body))
