"""Keys: pair each child of a delta with the child of its base that it changes.

Rules: steps are paired by name, whatever their tags. Elements that may occur several times, such as ``<input>``, are
paired by tag and by their key attribute. All other elements are paired by their tag alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

from taskrun.syntax.node import TEXT, Node

Key: TypeAlias = tuple[str, ...]

LISTS: Mapping[str, str] = MappingProxyType({"steps": "name"})
"""Elements → the key attribute of all their children, whatever the tags of the children are."""

UNIQUE: Mapping[str, str] = MappingProxyType(
    {
        "input": "name",
        "output": "name",
        "decorator": "name",
        "import": "as",
        "case": "match",
        "bean": "id",
        "property": "name",
        "constructor-arg": "index",
        "attr": "name",
        "slot": "name",
        "arg": "name",
    }
)
"""Elements that may occur several times → the key attribute that distinguishes them."""

_GENERAL = ("x:id", "id", "name")
KEY_ATTRIBUTES = frozenset({*LISTS.values(), *UNIQUE.values(), *_GENERAL, "x:key-attr", "x:unique-attr"})


def key_attribute(parent: Node, node: Node) -> str | None:
    """Return the name of the attribute by which a node is paired in a merge, or None if its tag alone is its key."""
    if by_list := parent.attributes.get("x:key-attr") or LISTS.get(parent.tag):
        return by_list
    unique = node.attributes.get("x:unique-attr") or UNIQUE.get(node.tag)
    if unique is None and (":" in node.tag or parent.tag == "meta"):
        return next((name for name in _GENERAL if name in node.attributes), None)
    return unique


def key_of(parent: Node, node: Node) -> Key | None:
    """Return the key of a node among its siblings: ``("pay",)`` for a step, ``("input", "x")`` for an input.

    Returns None for text, and for a step (or an item of a list with ``x:key-attr``) without the key attribute.
    """
    if node.tag == TEXT:
        return None
    attribute = key_attribute(parent, node)
    if attribute is None:
        return (node.tag,)
    value = node.attributes.get(attribute)
    if not value:
        return None if parent.tag in LISTS or "x:key-attr" in parent.attributes else (node.tag, "")
    return (value,) if parent.tag in LISTS or "x:key-attr" in parent.attributes else (node.tag, value)
