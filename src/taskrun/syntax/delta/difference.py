"""Compute the delta that turns one tree into another when it is merged over the first.

    base    <step name="pay" timeout="5s"><source>a()</source></step>  <step name="log"/>
    wanted  <step name="pay"><source>b()</source></step>
    delta   <step name="pay" timeout=""><source>b()</source></step>  <step name="log" x:override="remove"/>

Rules: the delta omits what both trees have. An element is replaced as a whole only if no smaller delta works: two of
its children have the same key, a child has no key, or an attribute has to become empty. A section such as
``<x:config>``, which a merge would append, is replaced as a whole, too.
"""

from __future__ import annotations

from typing import NamedTuple

from taskrun.syntax.delta.merge_keys import Key, key_attribute, key_of
from taskrun.syntax.delta.merge_order import merged_order
from taskrun.syntax.delta.operators import BOUNDED_MERGE, MERGE_REPLACE, REMOVE, REPLACE, SECTIONS, default_operator
from taskrun.syntax.node import Node, same


class Differ(NamedTuple):
    """Computes the delta between two trees: ``Differ(opaque).difference(base, wanted)``.

    ``opaque`` are the tags of elements that contain scripts.
    """

    opaque: frozenset[str]

    def difference(self, base: Node, wanted: Node, parent: Node | None = None) -> Node | None:
        """Return the delta that changes the element ``base`` into ``wanted``, or None if they are equal.

        ``parent`` is the parent of ``wanted``, which determines by what ``wanted`` is paired; None means the root.
        """
        if same(base, wanted):
            return None
        changed = {name: text for name, text in wanted.attributes.items() if base.attributes.get(name) != text}
        dropped = base.attributes.keys() - wanted.attributes.keys()
        if wanted.tag in SECTIONS or not all(changed.values()):  # an empty text in a delta drops an attribute
            return replacement_delta(wanted)
        attributes = {**_key(parent, wanted), **changed, **dict.fromkeys(sorted(dropped), "")}
        return self._body(base, wanted, wanted._replace(attributes=attributes, children=(), text=""))

    def _body(self, base: Node, wanted: Node, delta: Node) -> Node:
        """Return ``delta`` with the children or text that change the content of ``base`` into that of ``wanted``.

        The ``delta`` that is passed has only its attributes.
        """
        if default_operator(wanted, self.opaque) == MERGE_REPLACE:
            return delta._replace(children=wanted.children, text=wanted.text)
        if base.text == wanted.text and _all_same(base, wanted):
            return delta
        if not wanted.children:
            if wanted.text:
                return delta._replace(text=wanted.text)
            return delta._replace(attributes={**delta.attributes, "x:override": BOUNDED_MERGE})
        if base.children:
            children = self._children(base, wanted)
        else:
            children = wanted.children if _keyed(wanted) is not None else None
        return replacement_delta(wanted) if children is None else delta._replace(children=children)

    def _children(self, base: Node, wanted: Node) -> tuple[Node, ...] | None:
        """Return the children of the delta that changes the children of ``base`` into those of ``wanted``.

        Returns None if no such children exist: in one of the elements, two children have the same key or one has no
        key.
        """
        old, new = _keyed(base), _keyed(wanted)
        if old is None or new is None:
            return None
        removed = old.keys() - new.keys()
        deltas = {key: self.difference(old[key], node, wanted) if key in old else node for key, node in new.items()}
        needed = {key for key, delta in deltas.items() if delta is not None} | removed
        children = []
        for key in _fewest(list(old), list(new), needed):
            node = new.get(key) or old[key]
            operator = {"x:override": REMOVE} if key in removed else {}
            reference = node._replace(attributes={**_key(wanted, node), **operator}, children=(), text="")
            children.append(deltas.get(key) or reference)
        return tuple(children)


def _all_same(first: Node, second: Node) -> bool:
    return len(first.children) == len(second.children) and all(map(same, first.children, second.children))


def replacement_delta(wanted: Node) -> Node:
    """Return the delta that replaces the whole element of the base: ``wanted`` with ``x:override="replace"``."""
    return wanted._replace(attributes={**wanted.attributes, "x:override": REPLACE})


def _key(parent: Node | None, node: Node) -> dict[str, str]:
    """Return the key attribute of an element, such as ``{"name": "pay"}``; empty if its tag alone is its key."""
    attribute = key_attribute(parent, node) if parent is not None else None
    value = node.attributes.get(attribute) if attribute else None
    return {attribute: value} if attribute and value is not None else {}


def _keyed(parent: Node) -> dict[Key, Node] | None:
    """Return the children of an element by their keys; None if two have the same key or one has none."""
    found: dict[Key, Node] = {}
    for child in parent.children:
        key = key_of(parent, child)
        if key is None or key in found:
            return None
        found[key] = child
    return found


def _fewest(old: list[Key], new: list[Key], needed: set[Key]) -> list[Key]:
    """Return the keys that a delta must name in order to change the order ``old`` into ``new``, as few as possible.

    ``needed`` are keys that it must name anyway, because their elements change or are removed.
    """
    full = merged_order(old, new)
    wanted, remaining = [key for key in full if key in new], set(new)
    named = full
    for key in full:
        if key not in needed:
            fewer = [item for item in named if item != key]
            if [item for item in merged_order(old, fewer) if item in remaining] == wanted:
                named = fewer
    return named
