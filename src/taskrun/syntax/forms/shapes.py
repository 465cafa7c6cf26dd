"""Shapes of elements: what the schema allows in an element, to decide whether a key is an attribute or an element.

Rules: shapes are read from the parsed schema on demand, one complex type at a time. This is much faster than the
declarations of the library xmlschema, which are not needed here. An element that the schema does not know or not
describe is free: inside it, a scalar is an attribute and everything else is an element.
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

    ``script`` means that the element may contain any element, so a string in it may be XML. ``plurals`` maps keys for
    lists of children to the tag of each item: ``inputs`` → ``input``.
    """

    attributes: Mapping[str, str] = field(default_factory=dict)
    children: Mapping[str, _Element] = field(default_factory=lambda: _NOTHING)
    script: bool = False
    plurals: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """Compute ``plurals`` from a fixed list of tags; the schema does not tell how often a child may occur."""
        plurals = {"properties" if tag == "property" else f"{tag}s": tag for tag in _REPEATED if tag in self.children}
        object.__setattr__(self, "plurals", MappingProxyType(plurals))

    @property
    def container(self) -> bool:
        """Whether the element has child elements and no attributes, as ``<steps>``: in YAML it is a list."""
        return bool(self.children) and not self.attributes

    @property
    def item(self) -> str:
        """The tag of the children if only one is allowed; else ``""``: each item of the list declares its tag."""
        return next(iter(self.children)) if len(self.children) == 1 else ""


FREE = Shape(script=True)
"""Shape of an element that the schema does not describe."""


class Shapes:
    """Shapes of all elements of a schema: begin with ``root``, then ask for the shape of a ``child``."""

    def __init__(self, schema: Schema) -> None:
        root = schema.document.getroot()
        self._named = {(part.tag, part.get("name")): part for part in root}
        self._known: dict[_Element, Shape] = {}

    @property
    def root(self) -> Shape:
        """Shape of the root element ``<task>``."""
        return self._shape(self._named[f"{_XS}element", "task"])

    def child(self, parent: Shape, tag: str) -> Shape:
        """Return the shape of the child ``tag`` of an element with the shape ``parent``.

        It is FREE, which allows anything, if the schema has no such child.
        """
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
        """Add what a part of the schema (``body``) declares to the maps ``attributes`` and ``children``.

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
