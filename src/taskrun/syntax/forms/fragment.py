"""Reader of XML inside a YAML or JSON value: the nodes have locations in that file.

Rules: the XML reader of whole files is used, with the same limits. The value may have several elements, mixed text, or
only CDATA. Prefixes that are declared around the value are valid inside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from taskrun.errors import XmlError
from taskrun.source import Location, Source
from taskrun.syntax.forms.marked_values import Scalar
from taskrun.syntax.load import XmlReader
from taskrun.syntax.node import NO_ATTRIBUTES, Node


def read_fragment(tag: str, scalar: Scalar, source: Source, prefixes: frozenset[str], depth: int) -> Node:
    """Return an element ``tag`` that contains the XML of a scalar; raises XmlError with locations in ``source``.

    ``prefixes`` are those declared around it, ``depth`` is the depth of the element in the file.
    """
    wrapped = Source(source.path, f"<{tag}>{scalar.text}</{tag}>")
    inside = _FragmentOffsets(wrapped, source, scalar.offsets(source.text), len(tag) + 2)
    try:
        root = _FragmentReader(wrapped, prefixes, depth).read()
    except XmlError as error:
        moved = []
        for problem in error.diagnostics:
            at = inside.locate(problem.location)
            moved.append(replace(problem, location=at, line=source.line(at.line)))
        raise XmlError(moved) from None
    return inside.moved(root)


class _FragmentReader(XmlReader):
    """XML reader for a value; its root element represents the element of the YAML or JSON file."""

    def unclosed(self) -> str:
        """Return the innermost open element as a hint, without its line, which would be a line in the fragment."""
        return f"the element that is open here is <{self.open[-1].tag}>" if len(self.open) > 1 else ""

    def declaration(self, prefix: str) -> str:
        """Return the text that declares a prefix in a YAML or JSON file and where to write it, for a hint."""
        return declaration(prefix)


def declaration(prefix: str) -> str:
    """Return the text that declares a prefix in a YAML or JSON file and where to write it, for a hint."""
    return f"'xmlns:{prefix}: {prefix}' at the top of the file"


@dataclass(frozen=True, slots=True)
class _FragmentOffsets:
    """Conversion of locations in an XML fragment to locations in the file around it.

    ``before`` is the number of characters that were put before the fragment for parsing.
    """

    piece: Source
    source: Source
    offsets: Sequence[int]
    before: int

    def locate(self, at: Location) -> Location:
        """Return the location in the file for a location in the fragment."""
        index = self.piece.offset(at.line, at.column) - self.before
        return self.source.location(self.offsets[max(0, min(index, len(self.offsets) - 1))])

    def moved(self, node: Node) -> Node:
        """Return a copy of a node of the fragment that has locations in the file."""
        at = self.locate(Location(node.source.path, node.line, node.column))
        children = tuple(map(self.moved, node.children))
        attributes = node.attributes or NO_ATTRIBUTES
        places = FragmentPlaces(node, self)
        return Node(node.tag, attributes, children, node.text, self.source, at.line, at.column, places=places)


@dataclass(frozen=True, slots=True)
class FragmentPlaces:
    """Locations of the parts of a node in an XML fragment."""

    node: Node
    inside: _FragmentOffsets

    def attribute(self, name: str) -> Location:
        """Return the location of an attribute."""
        return self.inside.locate(self.node.attribute_at(name))

    def character(self, index: int, attribute: str | None) -> Location:
        """Return the location of a character of the text or of an attribute's value."""
        return self.inside.locate(self.node.character_at(index, attribute))

    def source(self, path: str) -> None:
        """Return None: every part of the node comes from the same file as the node."""
