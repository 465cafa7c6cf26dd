"""Output of an element that is not executed: as text in the modes ``xml`` and ``html``, as a node in the mode ``node``.

Rules: an attribute whose value is null is left out. In HTML an empty element gets an end tag unless it is a void
element. A node that is output keeps the location of the template's element.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from taskrun.syntax.node import TEXT, Node
from taskrun.templates.closures import Environment, TemplateNode
from taskrun.templates.element import start_tag
from taskrun.templates.output import TemplateOutput, text_of

_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
"""The void elements of HTML, which have no content and no end tag."""


async def emit_element(
    env: Environment, node: Node, bare: Node, values: Mapping[str, Any], inside: TemplateNode
) -> None:
    """Output the element ``node`` with the attributes ``values``; its content is what ``inside`` outputs.

    ``values`` are all its attributes. ``bare`` is the element without attributes and content; in the mode ``node`` the
    output is a copy of ``bare`` with ``values`` and the content.
    """
    attributes = {name: text_of(value) for name, value in values.items() if value is not None}
    if env.out.mode == "node":
        inner = TemplateOutput("node")
        await inside(env.with_output(inner))
        children = inner.nodes
        text = ""
        if children and all(child.tag == TEXT for child in children):
            text, children = "".join(child.text for child in children), ()
        env.out.add_node(bare._replace(attributes=attributes, children=children, text=text))
        return
    start = start_tag(node.tag, attributes)
    if not node.children and not node.text and (env.out.mode == "xml" or node.tag in _VOID):
        env.out.add_text(f"{start}/>", raw=True)
        return
    env.out.add_text(f"{start}>", raw=True)
    await inside(env)
    env.out.add_text(f"</{escape(node.tag)}>", raw=True)
