"""Rewrite a flow into the kernel language, which has fewer forms for later stages to handle.

Rules: each rewrite is a function ``(element, parent, position) -> element`` in a table. Rewrites are idempotent and report
no problems. Afterwards old tags have their new names, every step has a name, ``defaultUseParentScope`` is written on each
step that it applies to, and a root in graph mode is a ``graph-task``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from taskrun.syntax.node import Node

Rewrite: TypeAlias = Callable[[Node, Node | None, int], Node]

PARTS = frozenset({"then", "else", "case", "otherwise"})


def new_tag(node: Node, parent: Node | None, position: int) -> Node:
    """Rename ``<xpl>`` to ``<step>``, and a task in graph mode to ``<graph-task>``."""
    if node.tag == "xpl" and parent is not None and parent.tag == "steps":
        return node._replace(tag="step", attributes=_named(node, "xpl", position))
    if node.tag == "task" and parent is None and node.attributes.get("graphMode") in {"true", "1"}:
        return node._replace(tag="graph-task")
    return node


def default_name(node: Node, parent: Node | None, position: int) -> Node:
    """Give a step without a name the name ``TAGn``, where n is its position in ``<steps>``; return the element.

    A ``<then>`` or ``<else>`` is named by its tag, a ``<case>`` by tag and position.
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
    """Return the flow rewritten into the kernel language."""
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
