"""Types of the fields of step, decorator and part classes: how each is written in XML, and how the types are resolved.

    name: str | int | float | bool | Enum | frozenset[str]    attribute of that name in camelCase
    delay: Millis                                             attribute with a duration
    items: Expr                                               attribute itemsExpr, one expression
    pause: MillisExpr                                         attribute pauseMillisExpr, a duration or an expression
    value: Template                                           attribute with ${…} parts
    source: Script                                            text of the child <source>
    source: AwaitingScript                                    the same, and it may await
    source: Code                                              the same, in the language that the attribute lang names
    body: Own                                                 the element's own text as a script
    body: AwaitingOwn                                         the same, and it may await
    description: Text                                         plain text of the child <description>
    then: Then, case: tuple[Case, ...], steps: Body           child elements that are steps

``T | None`` or a default makes a field optional. ``Annotated[T, FromElement("input")]`` names the child element where
the name of the field does not, ``Annotated[T, OnStep()]`` reads an attribute of the step that contains the decorator,
and ``Annotated[Mapping[str, str], Prefixed()]`` collects the attributes with a namespace prefix.

Rules: annotations are resolved (``field_types``), never searched as text, so an alias of a type means the same as the
type. They are resolved once per class, when the first flow that uses the class is compiled.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, NewType, Union, get_args, get_origin, get_type_hints

from taskrun.core.duration import Millis
from taskrun.core.script_language import Code
from taskrun.script.script import Script, Template

if TYPE_CHECKING:
    from taskrun.core.step import Decorator, Step

Text = NewType("Text", str)
"""The type of a field that contains the plain text of a child element."""


@dataclass(frozen=True, slots=True)
class FromElement:
    """Marker of a field that is bound from child elements with this tag."""

    tag: str


class Expression:
    """Marker of a field whose attribute ends in ``Expr`` and contains one expression."""

    __slots__ = ()


class OwnText:
    """Marker of a field that is bound from the text of the element."""

    __slots__ = ()


class Awaits:
    """Marker of a script that may await: its ``run`` returns an awaitable then."""

    __slots__ = ()


class OnStep:
    """Marker of a field of a decorator that is an attribute of the decorated step's element."""

    __slots__ = ()


class Prefixed:
    """Marker of a field with all attributes that have a namespace prefix, by their names without it."""

    __slots__ = ()


Expr = Annotated[Script, Expression()]
Own = Annotated[Script, OwnText()]
AwaitingScript = Annotated[Script, Awaits()]
AwaitingOwn = Annotated[Script, OwnText(), Awaits()]


@dataclass(frozen=True, slots=True)
class FieldType:
    """Resolved type of a field: ``kind`` is the type of its value or, if it is a tuple, of the tuple's items."""

    kind: Any
    marks: tuple[Any, ...]
    """The markers that ``Annotated`` adds to the type."""
    repeated: bool
    """Whether the field is a tuple."""

    def is_a(self, *classes: type) -> bool:
        """Return whether the values of the field, or the items of its tuples, are instances of one of ``classes``."""
        return inspect.isclass(self.kind) and issubclass(self.kind, classes)


@cache
def field_types(cls: type) -> Mapping[str, FieldType]:
    """Return the resolved type of each field of a dataclass; raises NameError for a name that its module lacks."""
    hints = get_type_hints(cls, include_extras=True)
    return MappingProxyType({item.name: _field_type(hints[item.name]) for item in dataclasses.fields(cls)})


def _field_type(hint: Any) -> FieldType:
    """Return the resolved form of a type annotation."""
    kind, marks = _unwrap(hint)
    if get_origin(kind) is not tuple:
        return FieldType(kind, marks, repeated=False)
    return FieldType(_unwrap(get_args(kind)[0])[0], marks, repeated=True)


def _unwrap(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return a type without ``Annotated`` and ``| None``, and the markers that ``Annotated`` contains."""
    marks: tuple[Any, ...] = ()
    while True:
        if get_origin(hint) is Annotated:
            hint, *more = get_args(hint)
            marks += tuple(more)
        elif get_origin(hint) in (Union, types.UnionType):
            hint = next(part for part in get_args(hint) if part is not types.NoneType)
        else:
            return hint, marks


@cache
def script_fields(cls: type) -> tuple[str, ...]:
    """Return the names of the fields of a class that contain scripts."""
    return tuple(name for name, found in field_types(cls).items() if found.is_a(Script, Template, Code, Millis))


def scripts_of(value: Step | Decorator) -> Iterator[Script]:
    """Yield the scripts in the fields of a step or decorator."""
    for name in script_fields(type(value)):
        found = getattr(value, name)
        for item in found if type(found) is tuple else (found,):
            script = item.script if isinstance(item, Millis) else item
            if isinstance(script, Script | Template | Code):
                yield script  # type: ignore[misc] # all three have ``reads`` and ``stores``
