"""Rewrite the prefixes ``in:`` and ``out:`` into ``<input>`` and ``<output>``.

    <step in:x="1" out:RESULT="x+y"><in:y mandatory="true">2</in:y></step>

    <step>
      <input name="x"><source>1</source></input>
      <input name="y" mandatory="true"><source>2</source></input>
      <output name="RESULT"><source>x+y</source></output>
    </step>

Rules: each file is rewritten before it is merged, because merging pairs inputs by their name. The content of an ``in:``
or ``out:`` element becomes its ``<source>``, unchanged. Without content, an ``in:`` element is a by-name input. Inputs
from attributes come first, outputs from attributes last.
"""

from __future__ import annotations

from taskrun.syntax.node import NO_ATTRIBUTES, Node

_ELEMENTS = (("in:", "input"), ("out:", "output"))


def rewrite_short_forms(node: Node) -> Node:
    """Return the tree with ``<input>`` and ``<output>`` for every ``in:`` and ``out:``; unchanged if it has none."""
    children = tuple(_element(child) for child in node.children)
    made = []
    remaining = node.attributes
    for name in node.attributes:
        if name.startswith(("in:", "out:")):
            if remaining is node.attributes:
                remaining = {key: text for key, text in remaining.items() if not key.startswith(("in:", "out:"))}
            made.append(_from_attribute(node, name))
    if not made and all(new is old for new, old in zip(children, node.children, strict=True)):
        return node
    first = [child for child in made if child.tag == "input"]
    last = [child for child in made if child.tag == "output"]
    return node._replace(attributes=remaining, children=(*first, *children, *last))


def _element(node: Node) -> Node:
    for prefix, tag in _ELEMENTS:
        if node.tag.startswith(prefix):
            source = node._replace(tag="source", attributes=NO_ATTRIBUTES)
            content = (source,) if node.text or node.children else ()
            attributes = {"name": node.tag[len(prefix) :], **node.attributes}
            return node._replace(tag=tag, attributes=attributes, children=content, text="")
    return rewrite_short_forms(node)


def _from_attribute(node: Node, name: str) -> Node:
    prefix, _, local = name.partition(":")
    text = node.attributes[name]
    source = Node("source", NO_ATTRIBUTES, (), text, node.source, node.line, node.column, name, node.places)
    return source._replace(
        tag="input" if prefix == "in" else "output", attributes={"name": local}, children=(source,), text=""
    )
