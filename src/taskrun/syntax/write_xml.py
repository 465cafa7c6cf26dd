"""Write a tree as XML text that reads back as the same tree.

    <step name="pay">
      <source><![CDATA[total < 5 and "small"]]></source>
    </step>

Rules: elements that hold only elements are indented, for white space between elements means nothing. Where text stands
between elements nothing is added. Text comes back character by character, so do attributes, line breaks in them too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from xml.sax.saxutils import escape

from taskrun.syntax.node import TEXT, Node

_INDENT = "  "


def write_xml(root: Node, comment: Callable[[Node, Node | None], str] | None = None) -> str:
    """Return the text of a tree; ``comment`` returns what is said above an element (given with its parent), or ``""``."""
    return "\n".join(_lines(root, None, 0, comment)) + "\n"


def _lines(
    node: Node, parent: Node | None, depth: int, comment: Callable[[Node, Node | None], str] | None
) -> Iterator[str]:
    indent = _INDENT * depth
    said = comment(node, parent) if comment else ""
    if said:
        yield f"{indent}<!-- {said.replace('--', '- -')} -->"
    if not node.children or any(child.tag == TEXT for child in node.children):
        yield indent + in_one_piece(node)
        return
    yield f"{indent}<{node.tag}{_attributes(node)}>"
    for child in node.children:
        yield from _lines(child, node, depth + 1, comment)
    yield f"{indent}</{node.tag}>"


def in_one_piece(node: Node) -> str:
    """Return the text of an element without any white space that is not in it."""
    if node.tag == TEXT:
        return _escaped(node.text)
    inside = _text(node.text) + "".join(map(in_one_piece, node.children))
    start = f"<{node.tag}{_attributes(node)}"
    return f"{start}>{inside}</{node.tag}>" if inside else f"{start}/>"


def _attributes(node: Node) -> str:
    return "".join(f' {name}="{_value(text)}"' for name, text in node.attributes.items())


def _value(text: str) -> str:
    return escape(text, {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


def _text(text: str) -> str:
    """Return text as it stands in an element: readable where it has signs that XML would have escaped."""
    if ("<" in text or "&" in text) and "]]>" not in text and "\r" not in text:
        return f"<![CDATA[{text}]]>"
    return _escaped(text)


def _escaped(text: str) -> str:
    return escape(text, {"\r": "&#13;"})
