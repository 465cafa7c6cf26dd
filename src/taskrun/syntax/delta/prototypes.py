"""Clean a merged tree: apply prototypes, and drop removed elements and the attributes that control merging.

    <step name="base" x:abstract="true" timeout="5s"/>
    <step name="pay" x:prototype="base"><source>charge()</source></step>

Rules: an element with ``x:prototype`` is merged over a copy of the sibling of that name. These are dropped: elements
with ``x:override="remove"``, elements with ``x:abstract`` or ``x:virtual`` that no delta names, attributes that a delta
sets to ``""``, and all attributes that control merging. An element that still has ``x:inherit`` had no base, which is
an error. An unknown ``x:`` attribute is an error, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from taskrun.errors import near_hint
from taskrun.syntax.delta.merge import PROTOTYPE_SUPER, Merger
from taskrun.syntax.delta.merge_keys import key_of
from taskrun.syntax.delta.operators import OPERATORS, REMOVE
from taskrun.syntax.delta.origins import MergedPlaces, layers_of
from taskrun.syntax.node import Node

FINAL_ATTRIBUTES = frozenset({"x:schema", "x:id"})
"""Attributes that remain on the cleaned tree, because tools and scripts read them."""

_TRUE = frozenset({"true", "1"})
_FLAGS = frozenset({"x:abstract", "x:virtual", "x:final", "x:inherit"})
_MERGE_ATTRIBUTES = _FLAGS | {"x:override", "x:prototype", "x:prototype-override", "x:key-attr", "x:unique-attr"}
_NO_ORDER = "the delta sets the order: write the element between its neighbours"
_ONLY_ON_CONTAINERS = "it is allowed on the task and on steps that contain steps"
_HINTS: Mapping[str, str] = MappingProxyType(
    {
        "x:before": _NO_ORDER,
        "x:after": _NO_ORDER,
        "x:default-override": "write x:override on the element",
        "x:extends": _ONLY_ON_CONTAINERS,
        "x:dump": "it is allowed on the task",
        "x:validated": _ONLY_ON_CONTAINERS,
    }
)


class Cleaner:
    """Cleans merged trees: ``Cleaner(merger).clean(root)``; problems are recorded in ``merger.problems``."""

    def __init__(self, merger: Merger) -> None:
        self.merger = merger

    def clean(self, node: Node) -> Node:
        """Return the tree with prototypes applied, without removed elements and the attributes that control merging."""
        children = (
            tuple(self._children(node)) if node.children and node.tag not in self.merger.opaque else node.children
        )
        attributes = node.attributes
        if any(name.startswith("x:") or not text for name, text in attributes.items()):
            attributes = self._attributes(node)
        if children == node.children and attributes is node.attributes:
            return node
        return node._replace(attributes=attributes, children=children)

    def _children(self, parent: Node) -> Iterator[Node]:
        for node in parent.children:
            child = self._from_prototype(node, parent, ()) if "x:prototype" in node.attributes else node
            attributes = node.attributes
            if attributes.get("x:override") == REMOVE:
                continue
            if attributes.get("x:inherit") in _TRUE:
                self._report(
                    child, "no-base", f"<{child.tag}> has x:inherit, but no base has this element", "x:inherit"
                )
            if attributes.get("x:abstract") not in _TRUE and attributes.get("x:virtual") not in _TRUE:
                yield self.clean(child)

    def _from_prototype(self, node: Node, parent: Node, chain: tuple[Node, ...]) -> Node:
        """Return the node merged over a copy of its prototype, the sibling that its ``x:prototype`` names.

        ``chain`` are the nodes on the way to this one, each the prototype of the one before; a node that occurs twice
        is an error.
        """
        name = node.attributes["x:prototype"]
        known = {
            (key_of(parent, item) or ("",))[-1]: item
            for item in parent.children
            if item.attributes.get("x:override") != REMOVE
        }
        sibling = known.get(name)
        if sibling is None:
            names = [key for key, item in known.items() if item is not node]
            message = f"x:prototype='{name}': <{parent.tag}> has no element of this name"
            self._report(node, "no-prototype", message, "x:prototype", near_hint(name, filter(None, names)))
            return node
        if any(sibling is item for item in (*chain, node)):
            self._report(node, "prototype-cycle", f"x:prototype='{name}' leads back to this element", "x:prototype")
            return node
        if "x:prototype" in sibling.attributes:
            sibling = self._from_prototype(sibling, parent, (*chain, node))
        attributes = {key: text for key, text in node.attributes.items() if key not in _MERGE_ATTRIBUTES}
        if operator := node.attributes.get("x:prototype-override"):
            attributes["x:override"] = operator
        base = {key: text for key, text in sibling.attributes.items() if key not in _MERGE_ATTRIBUTES}
        delta = node._replace(attributes=attributes)
        return self.merger.merge(sibling._replace(attributes=base), delta, PROTOTYPE_SUPER)

    def _attributes(self, node: Node) -> dict[str, str]:
        found = {}
        for name, text in node.attributes.items():
            if (
                not text
                and isinstance(node.places, MergedPlaces)
                and node.places.attributes.get(name) is not layers_of(node)[0]
            ):
                continue  # a delta has set it to "" in order to drop it
            if not name.startswith("x:") or name in FINAL_ATTRIBUTES:
                found[name] = text
                continue
            known = name in _MERGE_ATTRIBUTES
            if not known:
                hint = _HINTS.get(name) or near_hint(name, (*_MERGE_ATTRIBUTES, *FINAL_ATTRIBUTES, *_HINTS))
                self._report(node, "unknown-attribute", f"{name} has no meaning on <{node.tag}>", name, hint)
            elif name in _FLAGS and text not in {*_TRUE, "false", "0"}:
                self._report(node, "bad-value", f"{name}='{text}': expected true or false", name)
            elif name == "x:override" and text not in OPERATORS:
                hint = near_hint(text, OPERATORS) or "one of " + ", ".join(OPERATORS)
                self._report(node, "unknown-operator", f"x:override='{text}' is not known", name, hint)
        return found

    def _report(self, node: Node, code: str, message: str, attribute: str, hint: str = "") -> None:
        self.merger.problems.append(node.problem(code, message, attribute=attribute, hint=hint))
