"""Remove or add the indentation that scripts have because of their position in a file, for ``taskrun convert --tidy``.

Rules: only scripts of several lines are changed. Two kinds remain as they are: scripts with a string over several
lines, because the string would change; and scripts that begin on the line of the tag while all other lines are
indented, because that indentation may have a meaning.
"""

from __future__ import annotations

import re
import textwrap

from taskrun.syntax.node import Node

_LONG_TEXT = re.compile(r"\"\"\"|'''|`")
_LEFT_MARGIN = re.compile(r"^\S", re.MULTILINE)
_STEP = 2


def tidy(root: Node, scripts: frozenset[str], *, indented: bool) -> Node:
    """Return the tree with its scripts at the left margin, or indented as deep as their elements if ``indented``.

    ``scripts`` are the tags of the elements that contain a script. ``meta`` and ``auth`` do not count as such.
    """
    return _tidy(root, scripts - {"meta", "auth"}, 0 if indented else None)


def _tidy(node: Node, scripts: frozenset[str], depth: int | None) -> Node:
    if node.tag in scripts:
        return node._replace(text=_script(node.text, depth)) if node.text and not node.children else node
    below = None if depth is None else depth + 1
    return node._replace(children=tuple(_tidy(child, scripts, below) for child in node.children))


def _script(text: str, depth: int | None) -> str:
    """Return the text of a script at the left margin if ``depth`` is None, else indented for an element of this depth.

    The depth is the number of elements around the element: 0 for the root. A script that must not change is returned
    unchanged (see the rules of the module).
    """
    first, newline, others = text.partition("\n")
    if not newline or not others.strip() or _LONG_TEXT.search(text) or "\r" in text:
        return text
    if not first.strip():
        lines = textwrap.dedent(others.rstrip())
    elif not first[0].isspace() and _LEFT_MARGIN.search(others):
        lines = text.rstrip()
    else:
        return text  # the first line follows the tag, so the indentation of the others may have a meaning
    if depth is None:
        return lines + "\n"
    pad = " " * (_STEP * depth)
    return "\n" + textwrap.indent(lines, pad + " " * _STEP) + "\n" + pad
