"""Rewrite the relative paths of a merged tree for the one file that the tree is printed to.

    parts/base.task.xml contains  <call-step libModelPath="money.task-lib.xml" …/>
    in flow.task.xml this is      <call-step libModelPath="parts/money.task-lib.xml" …/>

Rules: a relative path refers to a file beside the file that contains it, so it must change when its element gets into
another file. Paths that begin with ``/`` are looked up in the search roots and do not change.
"""

from __future__ import annotations

import os

from taskrun.syntax.delta.layers import relative_candidates
from taskrun.syntax.node import Node

_PATHS = frozenset({"taskModelPath", "libModelPath", "xpl:lib"})


def relocated(node: Node, path: str) -> Node:
    """Return the tree with each relative path rewritten so that it means the same file inside the file ``path``."""
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
