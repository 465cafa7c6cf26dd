"""Scripts without the indentation that they have only because of where they stand in their file.

Rules: only scripts of several lines that begin on a line of their own are touched, and none that has texts over several
lines in it, for these would change. What is taken away is white space that means nothing to any script language.
"""

from __future__ import annotations

import re
import textwrap

from taskrun.syntax.node import Node

_LONG_TEXT = re.compile(r"\"\"\"|'''|`")
_LEFT_MARGIN = re.compile(r"^\S", re.MULTILINE)
_STEP = 2


def tidy(root: Node, scripts: frozenset[str], *, indented: bool) -> Node:
    """Return the tree with its scripts at the left margin, or where they belong in XML if ``indented``.

    ``scripts`` are the tags of the elements that hold one.
    """
    return _tidy(root, scripts - {"meta", "auth"}, 0 if indented else None)


def _tidy(node: Node, scripts: frozenset[str], depth: int | None) -> Node:
    if node.tag in scripts:
        return node._replace(text=_script(node.text, depth)) if node.text and not node.children else node
    below = None if depth is None else depth + 1
    return node._replace(children=tuple(_tidy(child, scripts, below) for child in node.children))


def _script(text: str, depth: int | None) -> str:
    """Return a script in its place: at the left margin, or ``depth`` elements deep."""
    first, newline, others = text.partition("\n")
    if not newline or not others.strip() or _LONG_TEXT.search(text) or "\r" in text:
        return text
    if not first.strip():
        lines = textwrap.dedent(others.rstrip())
    elif not first[0].isspace() and _LEFT_MARGIN.search(others):
        lines = text.rstrip()
    else:
        return text  # its first line stands beside the tag: which indentation the others share is for the script to say
    if depth is None:
        return lines + "\n"
    pad = " " * (_STEP * depth)
    return "\n" + textwrap.indent(lines, pad + " " * _STEP) + "\n" + pad
