"""Types of the fields of step, decorator and part classes: how they are written in XML, and the reader of the types.

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

``T | None`` or a default makes a field optional. ``Annotated[T, FromElement("input")]`` names the child element where the
field's name does not, ``Annotated[T, OnStep()]`` reads an attribute of the step that a decorator stands in, and
``Annotated[Mapping[str, str], Prefixed()]`` collects the attributes with a namespace prefix.

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
"""Plain text of a child element."""


@dataclass(frozen=True, slots=True)
class FromElement:
    """The tag of the child elements that a field is bound from."""

    tag: str


@dataclass(frozen=True, slots=True)
class Expression:
    """An attribute, named like the field with ``Expr`` behind it, that holds one expression."""


@dataclass(frozen=True, slots=True)
class OwnText:
    """The element's own text."""


@dataclass(frozen=True, slots=True)
class Awaits:
    """A script that may await: its ``run`` then returns an awaitable."""


@dataclass(frozen=True, slots=True)
class OnStep:
    """An attribute of the step that the decorator's element stands in."""


@dataclass(frozen=True, slots=True)
class Prefixed:
    """All attributes with a namespace prefix, by their name without it."""


Expr = Annotated[Script, Expression()]
Own = Annotated[Script, OwnText()]
AwaitingScript = Annotated[Script, Awaits()]
AwaitingOwn = Annotated[Script, OwnText(), Awaits()]


@dataclass(frozen=True, slots=True)
class FieldType:
    """The resolved type of a field: ``kind`` is its type, or that of its elements where it is a tuple."""

    kind: Any
    marks: tuple[Any, ...]
    """What ``Annotated`` adds to the type."""
    repeated: bool

    def holds(self, *classes: type) -> bool:
        """Return whether the field's values, or the elements of its tuples, are instances of one of the classes."""
        return inspect.isclass(self.kind) and issubclass(self.kind, classes)


@cache
def field_types(cls: type) -> Mapping[str, FieldType]:
    """Return the resolved type of each field of a dataclass; raises NameError for a name that its module does not have."""
    hints = get_type_hints(cls, include_extras=True)
    return MappingProxyType({item.name: _field_type(hints[item.name]) for item in dataclasses.fields(cls)})


def _field_type(hint: Any) -> FieldType:
    kind, marks = _unwrap(hint)
    if get_origin(kind) is not tuple:
        return FieldType(kind, marks, repeated=False)
    return FieldType(_unwrap(get_args(kind)[0])[0], marks, repeated=True)


def _unwrap(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return a type without ``Annotated`` and ``| None``, and the marks of the former."""
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
    return tuple(name for name, found in field_types(cls).items() if found.holds(Script, Template, Code, Millis))


def scripts_of(value: Step | Decorator) -> Iterator[Script]:
    """Yield the scripts in the fields of a step or decorator."""
    for name in script_fields(type(value)):
        found = getattr(value, name)
        for item in found if type(found) is tuple else (found,):
            script = item.script if isinstance(item, Millis) else item
            if isinstance(script, Script | Template | Code):
                yield script  # type: ignore[misc] # all three tell what they read
