"""Types of the fields of step, decorator and part classes: how each is written in XML, and how the types are resolved.

    name: str | int | float | bool | Enum | frozenset[str]    attribute of that name in camelCase
    delay: Millis                                             attribute with a duration
    items: Expr                                               attribute itemsExpr, one expression
    pause: Annotated[Millis, Expression()]                    attribute pauseExpr, a duration or an expression
    value: Template                                           attribute with ${…} parts
    source: Script                                            text of the child <source>
    source: AwaitingScript                                    the same, and it may await
    source: Code                                              the same, in the language that the attribute lang names
    body: Own                                                 the element's own text as a script
    body: AwaitingOwn                                         the same, and it may await
    description: Text                                         plain text of the child <description>
    then: Then, case: tuple[Case, ...], steps: Body           child elements that are steps

A field with a default, or with the type ``T | None``, is optional. Markers in ``Annotated`` change where a field is
read: ``FromElement("input")`` names the child element, ``OnStep()`` reads an attribute of the decorated step, and
``Prefixed()`` collects all attributes with a namespace prefix.

Rules: annotations are evaluated, never searched as text, so an alias of a type means the same as the type. They are
evaluated once per class (``field_types``), when the first flow that uses the class is compiled.
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
"""Type of a field that contains the plain text of a child element: ``description: Text``."""


@dataclass(frozen=True, slots=True)
class FromElement:
    """Marker: the field is read from the child elements with this tag.

    Used where the tag is not the field's name: ``inputs: Annotated[tuple[Input, ...], FromElement("input")]``.
    """

    tag: str


class Expression:
    """Marker: the field is read from an attribute whose name ends in ``Expr`` and which contains one expression.

    ``items: Annotated[Script, Expression()]``, or shorter ``items: Expr``, reads ``itemsExpr="…"``.
    """

    __slots__ = ()


class OwnText:
    """Marker: the field is the text directly inside the element, as a script.

    ``body: Annotated[Script, OwnText()]``, or shorter ``body: Own``.
    """

    __slots__ = ()


class Awaits:
    """Marker: the script of the field may await; then its ``run`` returns an awaitable.

    ``source: Annotated[Script, Awaits()]``, or shorter ``source: AwaitingScript``.
    """

    __slots__ = ()


class OnStep:
    """Marker for decorator classes: the field is read from the element of the decorated step.

    ``strict: Annotated[bool, OnStep()]`` reads the attribute ``strict`` of the step, not of the decorator's own
    element.
    """

    __slots__ = ()


class Prefixed:
    """Marker: the field is a mapping of all attributes with a namespace prefix, by the name without the prefix.

    ``headers: Annotated[Mapping[str, str], Prefixed()]``.
    """

    __slots__ = ()


Expr = Annotated[Script, Expression()]
Own = Annotated[Script, OwnText()]
AwaitingScript = Annotated[Script, Awaits()]
AwaitingOwn = Annotated[Script, OwnText(), Awaits()]


@dataclass(frozen=True, slots=True)
class FieldType:
    """What the annotation of a field means: the type of its values, and how it is read from XML.

    ``kind`` is the type without ``| None`` and ``Annotated``; for a tuple it is the type of the items.
    """

    kind: Any
    marks: tuple[Any, ...]
    """The markers in the annotation, such as ``OwnText()``."""
    repeated: bool
    """Whether the field is a tuple, which collects several child elements."""

    def is_a(self, *classes: type) -> bool:
        """Return whether ``kind`` is one of ``classes`` or a subclass of one.

        For a tuple field, ``kind`` is the type of the items.
        """
        return inspect.isclass(self.kind) and issubclass(self.kind, classes)


@cache
def field_types(cls: type) -> Mapping[str, FieldType]:
    """Return the FieldType of each field of a dataclass, by the name of the field.

    Raises NameError if an annotation contains a name that is not defined in the module of the class.
    """
    hints = get_type_hints(cls, include_extras=True)
    return MappingProxyType({item.name: _field_type(hints[item.name]) for item in dataclasses.fields(cls)})


def _field_type(hint: Any) -> FieldType:
    """Return the FieldType of one type annotation."""
    kind, marks = _unwrap(hint)
    if get_origin(kind) is not tuple:
        return FieldType(kind, marks, repeated=False)
    return FieldType(_unwrap(get_args(kind)[0])[0], marks, repeated=True)


def _unwrap(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """Remove ``Annotated`` and ``| None`` from a type; return the bare type and the markers of ``Annotated``."""
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
    """Return the names of the fields of a step or decorator class whose values are or may contain scripts."""
    return tuple(name for name, found in field_types(cls).items() if found.is_a(Script, Template, Code, Millis))


def scripts_of(value: Step | Decorator) -> Iterator[Script]:
    """Yield the scripts in the own fields of a step or decorator.

    Those of its inputs, outputs and children are not included.
    """
    for name in script_fields(type(value)):
        found = getattr(value, name)
        for item in found if type(found) is tuple else (found,):
            script = item.script if isinstance(item, Millis) else item
            if isinstance(script, Script | Template | Code):
                yield script  # type: ignore[misc] # all three have ``reads`` and ``stores``
