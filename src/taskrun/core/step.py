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
    """Base class of the decorators, which wrap a step and run it in their own way: retry, timeout, catch.

    Subclasses are made by ``@decorator(tag, rank=…)`` and implement ``around``. A decorator with a smaller ``rank`` is
    nearer to the step. Decorators of equal rank are ordered by a field ``order`` if they have one, then by their order
    in the file.
    """

    tag: ClassVar[str] = ""
    rank: ClassVar[int] = 10
    attribute: ClassVar[bool] = False
    """Whether files write the decorator as an attribute of the step; if False, as a child element."""
    traits: ClassVar[DecoratorTraits] = DecoratorTraits()

    @abstractmethod
    def around(self, frame: Frame, inner: Inner) -> Awaitable[Completion]:
        """Run the wrapped step by calling ``inner(frame)`` and return the completion.

        A decorator may call ``inner`` several times (retry) or not at all (skip), and may change the completion or the
        exception.
        """

    def stores(self) -> Iterator[str]:
        """Yield the names of the variables that this decorator sets in the scope of the step, for the checks."""
        return iter(())

    def analyze(self, _step: Step) -> Iterable[Diagnostic]:
        """Yield the problems of this decorator's own attributes that the schema cannot express."""
        return ()

    def link(self, _context: LinkContext, _step: Step) -> Iterable[Diagnostic]:
        """Yield the problems of what this decorator names outside the file, such as an unknown bean."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpliedDecorator(Decorator):
    """Base class of decorators that the weaver adds although no file mentions them, for example to report events."""

    @classmethod
    @abstractmethod
    def implied(cls, step: Step, settings: WeaveSettings) -> Decorator | None:
        """Return the decorator to add to ``step``, None if the step does not need one.

        ``settings`` describe the kind of run and the place of the step. The weaver calls this only where
        ``traits.implied_in`` and ``traits.implied_by`` allow the decorator.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(ABC):
    """Base class of the steps: what one element of a file means, with the fields that every step may have.

    Subclasses are made by ``@step(tag)`` and implement ``run``.
    """

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
        """Perform the step and return its completion; an exception means that the step fails.

        ``frame`` has what changes during a run: the scope of the step, its path, the run.
        """

    @property
    def at(self) -> Location:
        """The location of the step in its file."""
        return self.node.at

    def children(self) -> Iterator[Step]:
        """Yield the steps directly inside this one, at most one level deep.

        They are found by the types of the fields, in the order of the fields.
        """
        for name in child_fields(type(self)):
            value = getattr(self, name)
            if isinstance(value, Step):
                yield value
            elif value is not None:
                yield from value

    def stores(self) -> Iterator[str]:
        """Yield the names of the variables that this step sets in its own scope, so that checks know them.

        Inputs, and outputs that inner steps export, are known without it.
        """
        return iter(())

    def analyze(self) -> Iterable[Diagnostic]:
        """Yield the problems of this step that the schema cannot express; nothing is executed."""
        return ()

    def link(self, _context: LinkContext) -> Iterable[Diagnostic]:
        """Yield the problems of what this step names outside the file, such as an unknown bean."""
        return ()


@dataclass_transform(frozen_default=True, kw_only_default=True)
def base(cls: Class) -> Class:
    """Python class decorator for a common base of several step or decorator types: a frozen dataclass without a tag.

    No element of a file is bound to the class itself.
    """
    made: Any = dataclass(frozen=True, slots=True, kw_only=True)(cls)
    return made  # type: ignore[no-any-return]


@dataclass_transform(frozen_default=True, kw_only_default=True)
def step(tag: str, *aliases: str) -> Callable[[Class], Class]:
    """Return a Python class decorator that makes a class a step type: ``@step("sleep") class Sleep(Step): …``.

    The class becomes a frozen dataclass. ``<tag>``, and ``<alias>`` for each of ``aliases``, are its elements in files.
    """

    def make(cls: Class) -> Class:
        made: Any = base(cls)
        made.tag = tag
        if aliases or "traits" not in vars(cls):  # aliases are not inherited
            made.traits = replace(made.traits, aliases=aliases)
        return made  # type: ignore[no-any-return]

    return make


@dataclass_transform(frozen_default=True, kw_only_default=True)
def decorator(tag: str, *, rank: int, attribute: bool = False) -> Callable[[Class], Class]:
    """Return a Python class decorator that makes a class a decorator type: ``@decorator("retry", rank=40)``.

    The class becomes a frozen dataclass. In files the decorator is the child element ``<tag>`` of a step; with
    ``attribute=True`` it is the attribute ``tag`` of a step. ``rank`` orders decorators, a smaller one is nearer to the
    step.
    """

    def make(cls: Class) -> Class:
        made: Any = base(cls)
        made.tag, made.rank, made.attribute = tag, rank, attribute
        return made  # type: ignore[no-any-return]

    return make


def walk(step: Step) -> Iterator[Step]:
    """Yield the step itself and then every step inside it at any depth, in the order of the file."""
    waiting = [step]
    while waiting:
        yield (found := waiting.pop())
        waiting.extend(reversed(list(found.children())))


@cache
def child_fields(cls: type[Step]) -> tuple[str, ...]:
    """Return the names of those fields of a step class whose values are steps, or bodies or tuples of steps."""
    return tuple(name for name, found in field_types(cls).items() if found.is_a(Step, Body))
