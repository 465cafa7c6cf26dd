"""Put an element of a template out, as text or as a node.

Rules: an attribute whose value is null is left out. In HTML an empty element has an end tag unless it is one that never has. A node that is made so keeps the place of the template's element.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from taskrun.syntax.node import TEXT, Node
from taskrun.templates.closures import Environment, Piece
from taskrun.templates.output import Output, shown

_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
"""The elements of HTML that hold nothing; all others need an end tag there."""


async def put(env: Environment, node: Node, bare: Node, values: Mapping[str, Any], inside: Piece) -> None:
    """Put out the element ``node`` with these attributes and what ``inside`` puts out."""
    attributes = {name: shown(value) for name, value in values.items() if value is not None}
    if env.out.mode == "node":
        inner = Output("node")
        await inside(env.into(inner))
        children = inner.nodes
        text = ""
        if children and all(child.tag == TEXT for child in children):
            text, children = "".join(child.text for child in children), ()
        env.out.node(bare._replace(attributes=attributes, children=children, text=text))
        return
    shown_attributes = "".join(f" {name}={quoteattr(text)}" for name, text in attributes.items())
    if not node.children and not node.text and (env.out.mode == "xml" or node.tag in _VOID):
        env.out.text(f"<{node.tag}{shown_attributes}/>", raw=True)
        return
    env.out.text(f"<{node.tag}{shown_attributes}>", raw=True)
    await inside(env)
    env.out.text(f"</{escape(node.tag)}>", raw=True)
