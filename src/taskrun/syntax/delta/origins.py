"""Where the parts of a merged node come from.

Rules: an attribute stands where the last file that gave it says it, the text of an element likewise; the element itself
stands in the last file that touched it. ``layers`` are all that did, the first one first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from taskrun.source import Location, Source
from taskrun.syntax.node import Node


class MergedPlaces(NamedTuple):
    """The places of a node that several elements made."""

    attributes: Mapping[str, Node]
    body: Node
    layers: tuple[Node, ...]

    def attribute(self, name: str) -> Location | None:
        """Return where an attribute starts."""
        owner = self.attributes.get(name)
        return owner.attribute_at(name) if owner is not None else None

    def character(self, index: int, attribute: str | None) -> Location | None:
        """Return where a character of the text, or of an attribute's value, stands."""
        owner = self.attributes.get(attribute) if attribute else self.body
        return owner.character_at(index, attribute) if owner is not None else None

    def source(self, path: str) -> Source | None:
        """Return the text of a file that parts of the node come from."""
        for owner in self.layers:
            found = owner.source_of(path)
            if found.path == path:
                return found
        return None


def layers_of(node: Node) -> tuple[Node, ...]:
    """Return the elements that made a node, the first one first."""
    return node.places.layers if isinstance(node.places, MergedPlaces) else (node,)


def describe_origin(node: Node, parent: Node | None) -> str:
    """Return where an element comes from and what changed it, ``""`` when that is where its parent comes from."""
    layers = layers_of(node)
    files = [layer.source.path for layer in layers]
    above = [layer.source.path for layer in layers_of(parent)] if parent is not None else files[:1]
    if files == above and not (parent is not None and parent.tag == "steps" and len(files) > 1):
        return ""
    first, *others = (str(layer.at) for layer in layers)
    return f"from {first}" + (f", changed by {', '.join(others)}" if others else "")


def owner_of(node: Node, attribute: str) -> Node:
    """Return the element that an attribute of a node comes from."""
    return node.places.attributes.get(attribute, node) if isinstance(node.places, MergedPlaces) else node


def body_of(node: Node) -> Node:
    """Return the element that the text of a node comes from."""
    return node.places.body if isinstance(node.places, MergedPlaces) else node


class MovedPlaces(NamedTuple):
    """The places of a node that was made from parts of others: name → the element and the attribute that it comes from."""

    attributes: Mapping[str, tuple[Node, str]]

    def attribute(self, name: str) -> Location | None:
        """Return where an attribute starts."""
        owner, own = self.attributes.get(name, (None, ""))
        if owner is None:
            return None
        return owner.attribute_at(own) if own else owner.at

    def character(self, index: int, attribute: str | None) -> Location | None:
        """Return where a character of an attribute's value stands."""
        owner, own = self.attributes.get(attribute or "", (None, ""))
        if owner is None:
            return None
        return owner.character_at(index, own) if own else owner.at

    def source(self, path: str) -> Source | None:
        """Return the text of a file that parts of the node come from."""
        for owner, _ in self.attributes.values():
            found = owner.source_of(path)
            if found.path == path:
                return found
        return None
