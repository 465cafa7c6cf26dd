"""Paths of a merged tree as seen from one file.

    parts/base.task.xml says  <call-step libModelPath="money.task-lib.xml" …/>
    in flow.task.xml it is    <call-step libModelPath="parts/money.task-lib.xml" …/>

Rules: a relative path means a file beside the one that says it; a tree that is printed as one file says it for all. Paths
that begin with ``/`` are looked up in the search roots and stay.
"""

from __future__ import annotations

import os

from taskrun.syntax.delta.layers import relative_candidates
from taskrun.syntax.node import Node

_PATHS = frozenset({"taskModelPath", "libModelPath", "xpl:lib"})


def relocated(node: Node, path: str) -> Node:
    """Return the tree with every relative path as the file ``path`` would say it."""
    changed = {}
    for name, text in node.attributes.items():
        if (
            name in _PATHS
            or (name.startswith("xmlns:") and text.endswith(".xlib"))
            or (node.tag == "c:import" and name == "from")
        ):
            moved = ",".join(_relocated_path(part, node.attribute_at(name).path, path) for part in text.split(","))
            if moved != text:
                changed[name] = moved
    children = tuple(relocated(child, path) for child in node.children)
    if changed:
        return node._replace(attributes={**node.attributes, **changed}, children=children)
    if all(new is old for new, old in zip(children, node.children, strict=True)):
        return node
    return node._replace(children=children)


def _relocated_path(text: str, from_file: str, path: str) -> str:
    here, there = (os.path.abspath(os.path.dirname(file)) for file in (from_file, path))  # noqa: PTH100, PTH120 - links are not followed
    if here == there or not text.strip() or text.startswith(("/", "${")) or ":" in text:
        return text
    files = relative_candidates(text.strip(), os.path.abspath(from_file))  # noqa: PTH100 - likewise
    found = next(filter(os.path.exists, files), files[0])
    return os.path.relpath(found, there).replace(os.sep, "/")
