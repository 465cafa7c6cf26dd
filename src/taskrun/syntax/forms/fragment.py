"""Read the XML inside a YAML or JSON value into nodes that have locations in the YAML or JSON file.

Rules: the reader of whole XML files is used, with the same limits. The value may have several elements, mixed text, or
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
    """Return an element ``tag`` that contains the XML of a scalar, with locations in the file ``source``.

    Raises XmlError if the XML is not valid. ``prefixes`` are the prefixes declared around the scalar. ``depth`` is the
    number of elements around the element.
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
    """XML reader for a fragment inside a start and an end tag that were added to it.

    So the root element stands for the element of the YAML or JSON file that contains the fragment.
    """

    def unclosed(self) -> str:
        """Return a hint that names the innermost open element, ``""`` if only the root is open.

        It does not tell the line, because that would be a line of the fragment, not of the file.
        """
        return f"the element that is open here is <{self.open[-1].tag}>" if len(self.open) > 1 else ""

    def declaration(self, prefix: str) -> str:
        """Return, for a hint, the text that declares a prefix in a YAML or JSON file, and where to write it."""
        return declaration(prefix)


def declaration(prefix: str) -> str:
    """Return, for a hint, the text that declares a prefix in a YAML or JSON file, and where to write it."""
    return f"'xmlns:{prefix}: {prefix}' at the top of the file"


@dataclass(frozen=True, slots=True)
class _FragmentOffsets:
    """Converts locations in an XML fragment to locations in the YAML or JSON file that contains it.

    ``piece`` is the fragment inside a root element, as it is parsed, and ``source`` the file. ``offsets`` has the
    offset in the file of each character of the fragment. ``before`` is the length of the start tag of the root element.
    """

    piece: Source
    source: Source
    offsets: Sequence[int]
    before: int

    def locate(self, at: Location) -> Location:
        """Return the location in the file that corresponds to a location in the fragment."""
        index = self.piece.offset(at.line, at.column) - self.before
        return self.source.location(self.offsets[max(0, min(index, len(self.offsets) - 1))])

    def moved(self, node: Node) -> Node:
        """Return a copy of a node of the fragment, and of all nodes below it, with locations in the file."""
        at = self.locate(Location(node.source.path, node.line, node.column))
        children = tuple(map(self.moved, node.children))
        attributes = node.attributes or NO_ATTRIBUTES
        places = FragmentPlaces(node, self)
        return Node(node.tag, attributes, children, node.text, self.source, at.line, at.column, places=places)


@dataclass(frozen=True, slots=True)
class FragmentPlaces:
    """Locations of the parts of a node that was read from an XML fragment, the ``places`` of this node.

    ``node`` is the node with its locations in the fragment; ``inside`` converts them to locations in the file.
    """

    node: Node
    inside: _FragmentOffsets

    def attribute(self, name: str) -> Location:
        """Return the location of an attribute in the YAML or JSON file."""
        return self.inside.locate(self.node.attribute_at(name))

    def character(self, index: int, attribute: str | None) -> Location:
        """Return the location of a character of an attribute's value, or of the text if ``attribute`` is None."""
        return self.inside.locate(self.node.character_at(index, attribute))

    def source(self, path: str) -> None:
        """Return None: all parts of the node come from one file, and ``Node.source`` is that file."""
