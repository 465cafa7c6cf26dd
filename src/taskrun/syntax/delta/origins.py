"""Record from which files the parts of a merged node come.

Rules: an attribute has the location in the last file that set it, and so has the text of an element; the element has its
location in the last file that changed it. ``layers`` are all elements that were merged into it, the lowest first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from taskrun.source import Location, Source
from taskrun.syntax.node import Node


class MergedPlaces(NamedTuple):
    """Locations of the parts of a node that was merged from the elements of several files."""

    attributes: Mapping[str, Node]
    body: Node
    layers: tuple[Node, ...]

    def attribute(self, name: str) -> Location | None:
        """Return the location of an attribute: in the last file that set it."""
        owner = self.attributes.get(name)
        return owner.attribute_at(name) if owner is not None else None

    def character(self, index: int, attribute: str | None) -> Location | None:
        """Return the location of a character of the text, or of an attribute's value, in the file it comes from."""
        owner = self.attributes.get(attribute) if attribute else self.body
        return owner.character_at(index, attribute) if owner is not None else None

    def source(self, path: str) -> Source | None:
        """Return the Source (path and text) of the file ``path`` if a part of the node comes from it, else None."""
        for owner in self.layers:
            found = owner.source_of(path)
            if found.path == path:
                return found
        return None


def layers_of(node: Node) -> tuple[Node, ...]:
    """Return the elements that were merged into a node, the lowest first."""
    return node.places.layers if isinstance(node.places, MergedPlaces) else (node,)


def describe_origin(node: Node, parent: Node | None) -> str:
    """Return a text with the locations of an element and of the deltas that changed it.

    It is ``""`` if they are the same as those of its parent.
    """
    layers = layers_of(node)
    files = [layer.source.path for layer in layers]
    above = [layer.source.path for layer in layers_of(parent)] if parent is not None else files[:1]
    if files == above and not (parent is not None and parent.tag == "steps" and len(files) > 1):
        return ""
    first, *others = (str(layer.at) for layer in layers)
    return f"from {first}" + (f", changed by {', '.join(others)}" if others else "")


def owner_of(node: Node, attribute: str) -> Node:
    """Return the element of a file from which an attribute of a merged node comes."""
    return node.places.attributes.get(attribute, node) if isinstance(node.places, MergedPlaces) else node


def body_of(node: Node) -> Node:
    """Return the element of a file from which the content of a merged node comes."""
    return node.places.body if isinstance(node.places, MergedPlaces) else node


class MovedPlaces(NamedTuple):
    """Locations of a node that was built from attributes of other elements.

    It maps each attribute to the element and attribute that it comes from.
    """

    attributes: Mapping[str, tuple[Node, str]]

    def attribute(self, name: str) -> Location | None:
        """Return the location of an attribute."""
        owner, own = self.attributes.get(name, (None, ""))
        if owner is None:
            return None
        return owner.attribute_at(own) if own else owner.at

    def character(self, index: int, attribute: str | None) -> Location | None:
        """Return the location of a character of an attribute's value."""
        owner, own = self.attributes.get(attribute or "", (None, ""))
        if owner is None:
            return None
        return owner.character_at(index, own) if own else owner.at

    def source(self, path: str) -> Source | None:
        """Return the Source (path and text) of the file ``path`` if a part of the node comes from it, else None."""
        for owner, _ in self.attributes.values():
            found = owner.source_of(path)
            if found.path == path:
                return found
        return None
