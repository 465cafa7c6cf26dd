"""Shapes of elements: what the schema allows in an element, to decide whether a key is an attribute or an element.

Rules: shapes are read from the parsed schema on demand, one complex type at a time, because the second, slow form of
the schema is not needed for that. An element that the schema does not know or not describe is free: in it, a scalar is
an attribute and everything else is an element.
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
    """What the schema allows in an element at one place: its attributes (name → type) and its child elements.

    ``script``: the element may contain any element, so a string in it may be XML. ``plurals`` are the keys for lists of
    children, such as ``inputs``, with the tags of the children.
    """

    attributes: Mapping[str, str] = field(default_factory=dict)
    children: Mapping[str, _Element] = field(default_factory=lambda: _NOTHING)
    script: bool = False
    plurals: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """Compute ``plurals`` from a fixed list of tags, because the schema does not limit how often a child occurs."""
        plurals = {"properties" if tag == "property" else f"{tag}s": tag for tag in _REPEATED if tag in self.children}
        object.__setattr__(self, "plurals", MappingProxyType(plurals))

    @property
    def container(self) -> bool:
        """Whether the element contains only elements, as ``<steps>`` and ``<beans>`` do: in YAML it is a list."""
        return bool(self.children) and not self.attributes

    @property
    def item(self) -> str:
        """The tag of the children if only one is allowed; ``""`` if each item of a list must declare its tag."""
        return next(iter(self.children)) if len(self.children) == 1 else ""


FREE = Shape(script=True)
"""Shape of an element that the schema does not describe."""


class Shapes:
    """Shapes of all elements of a schema."""

    def __init__(self, schema: Schema) -> None:
        root = schema.document.getroot()
        self._named = {(part.tag, part.get("name")): part for part in root}
        self._known: dict[_Element, Shape] = {}

    @property
    def root(self) -> Shape:
        """Shape of the root element."""
        return self._shape(self._named[f"{_XS}element", "task"])

    def child(self, parent: Shape, tag: str) -> Shape:
        """Return the shape of a child of an element; FREE (anything is allowed) if the schema has no such child."""
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
        """Add the attributes and children that a part of the schema declares to both maps.

        Returns whether the part allows any element.
        """
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
