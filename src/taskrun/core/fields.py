"""What the types of a class's fields say about the XML.

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
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NewType

from taskrun.script.script import Script

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
