"""Merge one tree over another: a delta over its base.

    base   <step name="pay" timeout="5s"><source>charge(total)</source></step>
    delta  <step name="pay" timeout="9s"/>
    result <step name="pay" timeout="9s"><source>charge(total)</source></step>

Rules: trees are immutable. Where both have an attribute or a child, the delta's wins, unless ``x:override`` on the
element says otherwise (``operators.py``). An element that a delta removes remains with its key and
``x:override="remove"`` until all deltas are merged; then ``prototypes.py`` drops it. A conflict is reported with the
places of both elements, and the delta's element is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from taskrun.errors import Diagnostic, near_hint
from taskrun.syntax.delta.merge_keys import KEY_ATTRIBUTES, Key, key_attribute, key_of
from taskrun.syntax.delta.merge_order import merged_order
from taskrun.syntax.delta.operators import (
    APPEND,
    BOUNDED_MERGE,
    COMBINED,
    MERGE,
    MERGE_REPLACE,
    MERGE_SUPER,
    OPERATORS,
    PREPEND,
    REMOVE,
    REPLACE,
    SECTIONS,
    default_operator,
    operator_of,
)
from taskrun.syntax.delta.origins import MergedPlaces, body_of, layers_of, owner_of
from taskrun.syntax.node import NO_ATTRIBUTES, TEXT, Node

SUPER = "x:super"
PROTOTYPE_SUPER = "x:prototype-super"
_TRUE = frozenset({"true", "1"})
_DROPPED_OF_BASE = frozenset({"x:abstract", "x:virtual"})  # fulfilled as soon as a delta names the element
_DROPPED_OF_DELTA = frozenset({"x:inherit", "x:virtual"})  # fulfilled as soon as there is a base
_CONCATENATING = frozenset({APPEND, PREPEND})
_LIST = frozenset({"x:key-attr"})


class Merger:
    """Merges deltas over bases: ``Merger(opaque).merge(base, delta)``; conflicts are recorded in ``problems``.

    ``opaque`` are the tags of elements that contain scripts.
    """

    def __init__(self, opaque: frozenset[str]) -> None:
        self.opaque: frozenset[str] = opaque | SECTIONS
        self.problems: list[Diagnostic] = []

    def merge(self, base: Node, delta: Node, placeholder: str = SUPER) -> Node:
        """Return ``delta`` merged over ``base``; conflicts are recorded in ``problems``.

        ``placeholder`` is for ``x:override="merge-super"``: the tag of the empty element in the delta that stands for
        the content of the base, such as ``<x:super/>``.
        """
        below, above = operator_of(base, self.opaque), operator_of(delta, self.opaque)
        if base.attributes.get("x:final") in _TRUE and _changes_base(delta):
            self._refuse(delta, "final", f"<{base.tag}> is final in its base ({base.at}) and cannot be changed")
        combined = COMBINED.get((below, above))
        if above not in OPERATORS:
            self._unknown(delta, above)
            combined = REPLACE
        elif combined is None:
            message = f"x:override='{above}' cannot be merged over '{below}' of the base ({base.at})"
            self._refuse(delta, "conflicting-operators", message, "x:override", _OPERATOR_HINTS.get(above, ""))
            combined = REPLACE
        if above == REMOVE:
            return self._removed(base, delta)
        fresh = below == REMOVE or above == REPLACE
        attributes = self._attributes(base, delta, fresh=fresh)
        if combined != default_operator(delta, self.opaque):
            attributes["x:override"] = delta if above == combined else base
        body, children, text = (delta, delta.children, delta.text) if fresh else self._body(base, delta, placeholder)
        values = {name: owner.attributes.get(name, "") for name, owner in attributes.items()}
        if "x:override" in values:
            values["x:override"] = combined
        layers = layers_of(delta) if fresh else (*layers_of(base), *layers_of(delta))
        places = MergedPlaces(attributes, body_of(body), layers)
        return delta._replace(attributes=values, children=children, text=text, places=places)

    def _unknown(self, delta: Node, operator: str) -> None:
        hint = near_hint(operator, OPERATORS) or "one of " + ", ".join(OPERATORS)
        self._refuse(delta, "unknown-operator", f"x:override='{operator}' is not known", "x:override", hint)

    def _refuse(self, node: Node, code: str, message: str, attribute: str | None = None, hint: str = "") -> None:
        self.problems.append(node.problem(code, message, attribute=attribute, hint=hint))

    def _removed(self, base: Node, delta: Node) -> Node:
        keys = {name: delta for name in delta.attributes if name in KEY_ATTRIBUTES}
        values = {name: delta.attributes[name] for name in keys} | {"x:override": REMOVE}
        places = MergedPlaces({**keys, "x:override": delta}, delta, (*layers_of(base), *layers_of(delta)))
        return delta._replace(attributes=values, children=(), text="", places=places)

    def _attributes(self, base: Node, delta: Node, *, fresh: bool) -> dict[str, Node]:
        """Return the attributes of the merged element: each name with the element of a file that its value comes from.

        With ``fresh``, the attributes of the base are ignored.
        """
        found: dict[str, Node] = {}
        if not fresh:
            found = {name: owner_of(base, name) for name in base.attributes if name not in _DROPPED_OF_BASE}
        dropped = frozenset() if operator_of(base, self.opaque) == REMOVE else _DROPPED_OF_DELTA
        if "x:virtual" in base.attributes:
            dropped -= {"x:virtual"}
        found |= {name: owner_of(delta, name) for name in delta.attributes if name not in dropped}
        found.pop("x:override", None)
        return found

    def _body(self, base: Node, delta: Node, placeholder: str) -> tuple[Node, tuple[Node, ...], str]:
        """Return the content of the merged element: the element that its text comes from, children, and text."""
        above, below = operator_of(delta, self.opaque), operator_of(base, self.opaque)
        has_body = bool(delta.children or delta.text)
        if above == MERGE_REPLACE:
            return delta, delta.children, delta.text
        if above in _CONCATENATING:
            return self._concatenate(base, delta, below)
        if above == MERGE_SUPER:
            return delta, self._insert_base(base, delta, below, placeholder), ""
        if not has_body:
            return (delta, (), "") if above == BOUNDED_MERGE else (base, base.children, base.text)
        if not delta.children or not base.children:
            return delta, delta.children, delta.text
        return delta, self._children(base, delta, placeholder, bounded=above == BOUNDED_MERGE), ""

    def _concatenate(self, base: Node, delta: Node, below: str) -> tuple[Node, tuple[Node, ...], str]:
        """Return the content of both elements one after the other, for ``append`` and ``prepend``, as ``_body`` does.

        The text of a script becomes a ``<c:script>``, so that both scripts run.
        """
        above = operator_of(delta, self.opaque)
        if not base.children and not base.text and below not in _CONCATENATING:
            return delta, delta.children, delta.text
        first, second = self._pieces(base), self._pieces(delta)
        if below in _CONCATENATING and below != above:
            first = self._with_placeholder(base, first, below)
        return delta, (*first, *second) if above == APPEND else (*second, *first), ""

    def _with_placeholder(self, base: Node, pieces: tuple[Node, ...], below: str) -> tuple[Node, ...]:
        """Return ``pieces`` with an ``<x:super/>`` before them for ``append``, behind them for ``prepend``.

        ``pieces`` are the content of a delta with the operator ``below``. This is needed when two deltas are merged
        with each other: ``<x:super/>`` stands for the content of their base, which is not known yet.
        """
        hole = base._replace(tag=SUPER, attributes=NO_ATTRIBUTES, children=(), text="", origin="", places=None)
        return (hole, *pieces) if below == APPEND else (*pieces, hole)

    def _pieces(self, node: Node) -> tuple[Node, ...]:
        """Return the content of an element as nodes, which can be joined with those of another element.

        They are its children, or one node for its text: ``<c:script>`` for a script, else ``#text``.
        """
        if node.children or not node.text.strip():
            return node.children
        body = body_of(node)
        if node.tag in self.opaque:
            return (body._replace(tag="c:script", attributes=NO_ATTRIBUTES, children=(), text=node.text),)
        return (body._replace(tag=TEXT, attributes=NO_ATTRIBUTES, children=(), text=node.text),)

    def _insert_base(self, base: Node, delta: Node, below: str, placeholder: str) -> tuple[Node, ...]:
        """Return the delta's content with the base's content in place of the element ``placeholder``.

        If the delta does not have exactly one empty element with this tag, a problem is recorded and its content is
        returned unchanged.
        """
        pieces = self._pieces(base)
        if below in _CONCATENATING:
            pieces = self._with_placeholder(base, pieces, below)
        holes = [node for node in delta.walk() if node.tag == placeholder]
        if len(holes) != 1 or holes[0].children or holes[0].text:
            wrong = holes[1] if len(holes) > 1 else holes[0] if holes else delta
            message = f"x:override='merge-super' needs exactly one empty <{placeholder}/> in its body"
            self._refuse(wrong, "super", f"{message}; there are {len(holes)}" if len(holes) != 1 else message)
            return delta.children
        return _replace_node(delta, holes[0], pieces).children

    def _children(self, base: Node, delta: Node, placeholder: str, *, bounded: bool) -> tuple[Node, ...]:
        """Return the children of both elements merged by their keys.

        With ``bounded``, the children of the base that the delta does not name are dropped.
        """
        listed = {name: node.attributes[name] for node in (base, delta) for name in _LIST & node.attributes.keys()}
        below, above = self._keyed(base, listed), self._keyed(delta, listed, is_delta=True)
        made: dict[Key, Node] = {}
        for key, node in above.items():
            olds = below.get(key, [])
            if len(node) > 1 and (olds or len(key) == 1):
                self._ambiguous(node[1], node[0], delta)
            if len(olds) > 1:
                self._ambiguous(node[0], olds[1], base)
            made[key] = self.merge(olds[0], node[0], placeholder) if olds else node[0]
        for key, olds in below.items():
            made.setdefault(key, olds[0])
        order = list(above) if bounded else merged_order(list(below), list(above))
        rest = {key: nodes[1:] for key, nodes in (*above.items(), *below.items()) if len(nodes) > 1}
        return tuple(node for key in order for node in (made[key], *rest.get(key, ())))

    def _keyed(self, parent: Node, listed: dict[str, str], *, is_delta: bool = False) -> dict[Key, list[Node]]:
        """Return the children of an element by their keys: each key with the list of the children that have it.

        A child without a key gets one that no other child has. In a delta, it is also recorded as a problem, because it
        cannot be paired with a child of the base. ``listed`` has the ``x:key-attr`` of base or delta, which applies to
        both.
        """
        found: dict[Key, list[Node]] = {}
        if listed:
            parent = parent._replace(attributes={**parent.attributes, **listed})
        for position, node in enumerate(parent.children):
            key = key_of(parent, node)
            if key is None and is_delta and node.tag != TEXT:
                attribute = key_attribute(parent, node)
                message = f"<{node.tag}> needs the attribute {attribute}: it is the key by which children of <{parent.tag}> are merged"
                self._refuse(node, "missing-key", message)
            found.setdefault(key or ("", str(id(parent)), str(position)), []).append(node)
        return found

    def _ambiguous(self, node: Node, other: Node, parent: Node) -> None:
        attribute = key_attribute(parent, other)
        what = f"{attribute}='{other.attributes.get(attribute, '')}'" if attribute else "the same tag"
        message = f"two <{other.tag}> have {what} (the other: {other.at}): the key is ambiguous"
        self._refuse(node, "ambiguous-key", message, attribute if attribute in node.attributes else None)


_OPERATOR_HINTS: Mapping[str, str] = MappingProxyType(
    {
        MERGE_SUPER: "merge-super is for text and scripts; with merge, the steps of the base remain",
        MERGE: "write replace or merge-replace",
        BOUNDED_MERGE: "write replace or merge-replace",
    }
)


def _changes_base(delta: Node) -> bool:
    """Return True if a delta changes the element itself, False if it has nothing but its key.

    An element with nothing but its key only tells the position of its neighbours.
    """
    return bool(delta.children or delta.text or delta.attributes.keys() - KEY_ATTRIBUTES)


def _replace_node(node: Node, hole: Node, pieces: Iterable[Node]) -> Node:
    """Return a copy of the tree ``node`` in which ``pieces`` stand in the place of the descendant ``hole``."""
    if not node.children:
        return node
    children: list[Node] = []
    for child in node.children:
        children.extend(pieces if child is hole else (_replace_node(child, hole, pieces),))
    return node._replace(children=tuple(children))
