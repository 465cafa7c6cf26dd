"""What may stand on an element and in it, as far as a file in YAML has to know: is a key an attribute or a child?

Rules: read from the parsed schema, one complex type at a time and when it is asked for, so that a YAML file is read
without the slow second schema. What the schema does not know or does not look into is free: there a scalar is an
attribute, and everything else an element.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element

    from taskrun.syntax.schema import Schema

_XS = "{http://www.w3.org/2001/XMLSchema}"
_REPEATED = ("input", "output", "decorator", "import", "case", "constructor-arg", "property")
_NOTHING: Mapping[str, _Element] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Shape:
    """An element at one place: its attributes with their types, and its children.

    ``script`` says that it may hold any element, so that a string in it can be XML; ``plurals`` are the keys that stand
    for lists of children, with the children's tags.
    """

    attributes: Mapping[str, str] = field(default_factory=dict)
    children: Mapping[str, _Element] = field(default_factory=lambda: _NOTHING)
    script: bool = False
    plurals: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """Make the plurals: the schema does not say what may repeat, so this does."""
        plurals = {"properties" if tag == "property" else f"{tag}s": tag for tag in _REPEATED if tag in self.children}
        object.__setattr__(self, "plurals", MappingProxyType(plurals))

    @property
    def container(self) -> bool:
        """Whether this only holds other elements, as ``<steps>`` and ``<beans>`` do: in YAML it is a list."""
        return bool(self.children) and not self.attributes

    @property
    def item(self) -> str:
        """The tag of the things in a container when there is only one kind, else ``""``: then each says its own."""
        return next(iter(self.children)) if len(self.children) == 1 else ""


FREE = Shape(script=True)
"""An element that the schema does not look into."""


class Shapes:
    """The shapes of a grammar."""

    def __init__(self, schema: Schema) -> None:
        root = schema.document.getroot()
        self._named = {(part.tag, part.get("name")): part for part in root}
        self._known: dict[_Element, Shape] = {}

    @property
    def root(self) -> Shape:
        """The shape of the root element."""
        return self._shape(self._named[f"{_XS}element", "task"])

    def child(self, parent: Shape, tag: str) -> Shape:
        """Return the shape of a child of an element: FREE when the element has no such child."""
        declared = parent.children.get(tag)
        return FREE if declared is None else self._shape(declared)

    def _shape(self, declared: _Element) -> Shape:
        if declared not in self._known:
            kind = declared.get("type")
            body = declared[-1] if kind is None else self._named[f"{_XS}complexType", kind]
            attributes: dict[str, str] = {}
            children: dict[str, _Element] = {}
            script = self._collect(body, attributes, children)
            self._known[declared] = Shape(attributes, children, script)
        return self._known[declared]

    def _collect(self, body: _Element, attributes: dict[str, str], children: dict[str, _Element]) -> bool:
        """Gather what a part of the schema declares; return whether any element may stand there."""
        script = False
        for part in body:
            if part.tag == f"{_XS}attribute":
                attributes[part.get("name", "")] = part.get("type", "")
            elif part.tag == f"{_XS}element":
                children[part.get("name", "")] = part
            elif part.tag == f"{_XS}any":
                script |= part.get("namespace") == "##any"
            elif part.tag in {f"{_XS}group", f"{_XS}attributeGroup"}:
                script |= self._collect(self._named[part.tag, part.get("ref")], attributes, children)
            elif part.tag in {f"{_XS}choice", f"{_XS}sequence"}:
                script |= self._collect(part, attributes, children)
        return script
