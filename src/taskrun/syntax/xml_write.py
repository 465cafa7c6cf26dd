"""Write trees as XML that reads back as the same tree.

Rules: elements that contain only elements are indented; where there is text, no white space is added. A text of several
lines with ``<`` or ``&`` becomes CDATA, every other text is escaped. White space in attributes is written as character
references, because XML parsers turn it into spaces.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from taskrun.syntax.node import TEXT, Node

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_WIDTH = 120
_IN_TEXT: Mapping[int, str] = MappingProxyType(str.maketrans({"&": "&amp;", "<": "&lt;", "\r": "&#13;"}))
_IN_ATTRIBUTE: Mapping[int, str] = MappingProxyType(
    str.maketrans({"&": "&amp;", "<": "&lt;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"})
)
_MARKUP = re.compile("[<&]")


Comment: TypeAlias = Callable[[Node, Node | None], str]
"""Function of an element and its parent → text of the comment above the element, ``""`` for none."""


def write_xml(root: Node, comment: Comment | None = None, *, head: bool = True) -> str:
    """Return a tree as the text of an XML file.

    ``comment`` is a function of an element and its parent; it returns the comment to write above the element, ``""``
    for none. With ``head``, the text begins with the XML declaration ``<?xml …?>``.
    """
    above = _above(root, None, comment, "")
    return f"{_HEAD if head else ''}{above}{_element(root, 0, comment)}\n"


def _above(node: Node, parent: Node | None, comment: Comment | None, pad: str) -> str:
    """Return the line with the comment that is written above an element, or ``""`` if it has none."""
    text = comment(node, parent) if comment is not None else ""
    return f"{pad}<!-- {text.replace('--', '- -')} -->\n" if text else ""


def write_content(node: Node) -> str:
    """Return the content of an element with children as XML, without the tags of the element itself.

    The content is one child per line; if it contains text, it is written without additional white space.
    """
    if _mixed(node):
        return _content(node)
    return "".join(f"{_element(child, 0)}\n" for child in node.children)


def _element(node: Node, indent: int, comment: Comment | None = None) -> str:
    """Return an element as XML; all lines but the first are indented by ``indent`` or more spaces."""
    start = _start(node, indent)
    if not node.children and not node.text:
        return f"{start}/>"
    if not node.children or _mixed(node):
        return f"{start}>{_content(node)}</{node.tag}>"
    pad = " " * (indent + 2)
    inside = "".join(
        f"{_above(child, node, comment, pad)}{pad}{_element(child, indent + 2, comment)}\n" for child in node.children
    )
    return f"{start}>\n{inside}{' ' * indent}</{node.tag}>"


def _content(node: Node) -> str:
    """Return the texts and child elements of an element as XML, without adding white space between them."""
    if not node.children:
        return _text(node.text)
    return "".join(_text(child.text) if child.tag == TEXT else _inline(child) for child in node.children)


def _inline(node: Node) -> str:
    content = _content(node)
    start = _start(node, 0, wide=True)
    return f"{start}>{content}</{node.tag}>" if content else f"{start}/>"


def _start(node: Node, indent: int, *, wide: bool = False) -> str:
    pairs = [f'{name}="{value.translate(_IN_ATTRIBUTE)}"' for name, value in node.attributes.items()]
    line = " ".join([f"<{node.tag}", *pairs])
    if wide or indent + len(line) < _WIDTH:
        return line
    return f"\n{' ' * (indent + 4)}".join([f"<{node.tag}", *pairs])


def _text(text: str) -> str:
    if "\n" in text and "\r" not in text and _MARKUP.search(text):
        return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"
    return text.translate(_IN_TEXT).replace("]]>", "]]&gt;")


def _mixed(node: Node) -> bool:
    return any(child.tag == TEXT for child in node.children)
