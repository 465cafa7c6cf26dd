"""XML inside a YAML or JSON file: the text of a value becomes nodes whose places are those in that file.

Rules: the same reader as for whole files, with the same refusals. The piece may be several elements, text between them,
or CDATA alone; prefixes that are declared round it count inside it.
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
    """Return an element ``tag`` with the XML of a scalar inside it; raises XmlError with places in ``source``."""
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
    """A reader whose outermost element stands for that of the other file."""

    def unclosed(self) -> str:
        """Return which element is open; its line would be that in the piece, so it is not said."""
        return f"the element that is open here is <{self.open[-1].tag}>" if len(self.open) > 1 else ""

    def declaration(self, prefix: str) -> str:
        """Return what declares a prefix in the other file."""
        return declaration(prefix)


def declaration(prefix: str) -> str:
    """Return what declares a prefix in a YAML or JSON file."""
    return f"'xmlns:{prefix}: {prefix}' at the top of the file"


@dataclass(frozen=True, slots=True)
class _FragmentOffsets:
    """Where the characters of a piece of XML stand; ``before`` of them are its wrapping."""

    piece: Source
    source: Source
    offsets: Sequence[int]
    before: int

    def locate(self, at: Location) -> Location:
        """Return the place in the file for a place in the piece."""
        index = self.piece.offset(at.line, at.column) - self.before
        return self.source.location(self.offsets[max(0, min(index, len(self.offsets) - 1))])

    def moved(self, node: Node) -> Node:
        """Return a node of the piece as one of the file."""
        at = self.locate(Location(node.source.path, node.line, node.column))
        children = tuple(map(self.moved, node.children))
        attributes = node.attributes or NO_ATTRIBUTES
        places = FragmentPlaces(node, self)
        return Node(node.tag, attributes, children, node.text, self.source, at.line, at.column, places=places)


@dataclass(frozen=True, slots=True)
class FragmentPlaces:
    """The places of a node that stands in a piece of XML."""

    node: Node
    inside: _FragmentOffsets

    def attribute(self, name: str) -> Location:
        """Return where an attribute starts."""
        return self.inside.locate(self.node.attribute_at(name))

    def character(self, index: int, attribute: str | None) -> Location:
        """Return where a character of the text or of an attribute stands."""
        return self.inside.locate(self.node.character_at(index, attribute))

    def source(self, path: str) -> None:
        """Return None: the node's own source is all there is."""
