"""Rewrite a flow into the kernel language, which has fewer forms for later stages to handle.

Rules: each rewrite is a function ``(element, parent, position) -> element`` in the table ``REWRITES``; the position
counts the elements before it in its parent. Rewriting twice changes nothing more. No rewrite reports problems.
Afterwards old tags have their new names, every step has a name, and a root in graph mode is a ``graph-task``. If the
root has ``defaultUseParentScope``, every step that does not say otherwise has ``useParentScope="true"``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from taskrun.syntax.node import Node

Rewrite: TypeAlias = Callable[[Node, Node | None, int], Node]

PARTS = frozenset({"then", "else", "case", "otherwise"})


def new_tag(node: Node, parent: Node | None, position: int) -> Node:
    """Return the element with its new tag: ``<xpl>`` becomes ``<step>``, a root in graph mode becomes ``<graph-task>``.

    All other elements are returned unchanged.
    """
    if node.tag == "xpl" and parent is not None and parent.tag == "steps":
        return node._replace(tag="step", attributes=_named(node, "xpl", position))
    if node.tag == "task" and parent is None and node.attributes.get("graphMode") in {"true", "1"}:
        return node._replace(tag="graph-task")
    return node


def default_name(node: Node, parent: Node | None, position: int) -> Node:
    """Return the element with a name if it is a step, ``<then>``, ``<case>`` and the like without one.

    The n-th step of a ``<steps>`` is called by its tag and n: ``sleep2``. A ``<then>``, ``<else>`` or ``<otherwise>``
    is called by its tag, the n-th ``<case>`` is called ``case`` and n. All other elements are returned unchanged.
    """
    if parent is None or node.attributes.get("name"):
        return node
    if parent.tag == "steps":
        return node._replace(attributes=_named(node, node.tag, position))
    if node.tag in PARTS and parent.tag in {"if", "choose"}:
        name = f"case{1 + _position_among(node, parent)}" if node.tag == "case" else node.tag
        return node._replace(attributes={**node.attributes, "name": name})
    return node


def _named(node: Node, tag: str, position: int) -> dict[str, str]:
    return {"name": f"{tag}{position + 1}", **node.attributes}


def _position_among(node: Node, parent: Node) -> int:
    same = [child for child in parent.children if child.tag == node.tag]
    return next((index for index, child in enumerate(same) if child is node), 0)


REWRITES: tuple[Rewrite, ...] = (new_tag, default_name)


def normalize(root: Node, rewrites: Iterable[Rewrite] = REWRITES) -> Node:
    """Return the tree of a flow rewritten into the kernel language, by applying all ``rewrites`` to every element."""
    table = tuple(rewrites)
    everywhere = root.attributes.get("defaultUseParentScope") in {"true", "1"}
    return _rewrite(root, None, 0, table, everywhere)


def _rewrite(node: Node, parent: Node | None, position: int, table: tuple[Rewrite, ...], everywhere: bool) -> Node:
    for rewrite in table:
        node = rewrite(node, parent, position)
    if everywhere and parent is not None and (parent.tag == "steps" or node.tag in PARTS):
        node = _use_parent_scope(node)
    if not node.children or node.tag == "source":
        return node
    index = 0
    children = []
    for child in node.children:
        children.append(_rewrite(child, node, index, table, everywhere))
        index += child.tag != "#text"
    if all(map(_same, children, node.children)):
        return node
    return node._replace(children=tuple(children))


def _same(new: Node, old: Node) -> bool:
    return new is old


def _use_parent_scope(node: Node) -> Node:
    if "useParentScope" in node.attributes:
        return node
    return node._replace(attributes={**node.attributes, "useParentScope": "true"})
