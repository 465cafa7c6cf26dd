"""Record from which files the parts of a merged node come.

Rules: an attribute has the location in the last file that set it, and so has the text of an element. The element has
its location in the last file that changed it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from taskrun.source import Location, Source
from taskrun.syntax.node import Node


class MergedPlaces(NamedTuple):
    """Locations of the parts of a node that was merged from the elements of several files.

    ``attributes`` maps each attribute to the element whose value is used; ``body`` is the element whose content is
    used. ``layers`` are all elements that were merged into the node, the lowest first.
    """

    attributes: Mapping[str, Node]
    body: Node
    layers: tuple[Node, ...]

    def attribute(self, name: str) -> Location | None:
        """Return the location of an attribute in the last file that set it, None if there is no such attribute."""
        owner = self.attributes.get(name)
        return owner.attribute_at(name) if owner is not None else None

    def character(self, index: int, attribute: str | None) -> Location | None:
        """Return the location of a character of an attribute's value, or of the text if ``attribute`` is None.

        It is a location in the file that the value comes from; None if the node has no such attribute.
        """
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
    """Return the elements that were merged into a node, the lowest first; only the node if it was not merged."""
    return node.places.layers if isinstance(node.places, MergedPlaces) else (node,)


def describe_origin(node: Node, parent: Node | None) -> str:
    """Return where an element comes from, such as ``from a.task.xml:3:5, changed by b.task.xml:2:5``.

    It is a comment for ``taskrun expand --origins``, and ``""`` if the element comes from the same files as its parent.
    But a step that a delta changed always has one.
    """
    layers = layers_of(node)
    files = [layer.source.path for layer in layers]
    above = [layer.source.path for layer in layers_of(parent)] if parent is not None else files[:1]
    if files == above and not (parent is not None and parent.tag == "steps" and len(files) > 1):
        return ""
    first, *others = (str(layer.at) for layer in layers)
    return f"from {first}" + (f", changed by {', '.join(others)}" if others else "")


def owner_of(node: Node, attribute: str) -> Node:
    """Return the element of a file from which a merged node has the value of ``attribute``.

    Returns ``node`` itself if it was not merged.
    """
    return node.places.attributes.get(attribute, node) if isinstance(node.places, MergedPlaces) else node


def body_of(node: Node) -> Node:
    """Return the element of a file from which a merged node has its content.

    Returns ``node`` itself if it was not merged.
    """
    return node.places.body if isinstance(node.places, MergedPlaces) else node


class MovedPlaces(NamedTuple):
    """Locations of a node that was built from attributes of other elements, such as the step for a custom step.

    ``attributes`` maps each attribute of the node to an element and the attribute of it that the value comes from;
    ``""`` instead of an attribute means the element itself.
    """

    attributes: Mapping[str, tuple[Node, str]]

    def attribute(self, name: str) -> Location | None:
        """Return the location that an attribute comes from, or None if it is not known."""
        owner, own = self.attributes.get(name, (None, ""))
        if owner is None:
            return None
        return owner.attribute_at(own) if own else owner.at

    def character(self, index: int, attribute: str | None) -> Location | None:
        """Return the location that a character of an attribute's value comes from, or None if it is not known."""
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
