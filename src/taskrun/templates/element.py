"""An element as a value of scripts: what generators and tags of mode ``node`` work on.

Rules: read only. It shows tag, attributes, text and children; it keeps its place, so that what is made from it can say where it
comes from.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from taskrun.script.limits import ScriptBudgetError
from taskrun.script.sandbox.budget import current_budget
from taskrun.syntax.node import TEXT, Node

MOST_DEPTH = 200
MOST_ELEMENTS = 1_000_000
"""How deep an element may be nested that a template makes, and how many it may hold."""


class Element:
    """An XML element for scripts.

    >>> # <step name="a"/> as e:  e.tagName → 'step', e.attrText('name') → 'a'
    """

    __slots__ = ("_node",)

    def __init__(self, node: Node) -> None:
        self._node = node

    @property
    def tagName(self) -> str:
        """Its tag."""
        return self._node.tag

    @property
    def attributes(self) -> dict[str, str]:
        """Its attributes, as a new map."""
        return dict(self._node.attributes)

    @property
    def children(self) -> list[Element]:
        """Its child elements."""
        return [Element(child) for child in self._node.children if child.tag != TEXT]

    @property
    def text(self) -> str:
        """Its text."""
        return self._node.text or "".join(child.text for child in self._node.children if child.tag == TEXT)

    def attrText(self, name: str, default: str | None = None) -> str | None:
        """Return an attribute, or ``default``."""
        return self._node.attributes.get(name, default)

    def childByTag(self, tag: str) -> Element | None:
        """Return the first child element of that tag, or null."""
        found = self._node.child(tag)
        return None if found is None else Element(found)

    def childrenByTag(self, tag: str) -> list[Element]:
        """Return the child elements of that tag."""
        return [child for child in self.children if child.tagName == tag]

    def descendants(self) -> list[Element]:
        """Return every element below this one."""
        current_budget().charge(size_of(self._node))
        return [Element(node) for node in self._node.walk() if node is not self._node and node.tag != TEXT]

    def location(self) -> str:
        """Return the element's place as ``file:line:column``."""
        return str(self._node.at)

    def toXml(self) -> str:
        """Return the element as XML text."""
        current_budget().charge(size_of(self._node))
        return xml_of(self._node)

    def __repr__(self) -> str:
        return f"<{self._node.tag}>"


def node_of(element: Element) -> Node:
    """Return the tree's own node, which scripts never get."""
    return element._node  # noqa: SLF001 - a door for this package only


def size_of(node: Node) -> int:
    """Return how many elements and pieces of text a node is made of; raises ScriptBudgetError when they are too many."""
    size, waiting, next_ones = 0, [node], list[Node]()
    for _ in range(MOST_DEPTH):
        for one in waiting:
            next_ones.extend(one.children)
        size += len(waiting)
        if size > MOST_ELEMENTS:
            break
        if not next_ones:
            return size
        waiting, next_ones = next_ones, []
    raise ScriptBudgetError("the template was stopped: it made an element that is too large or nested too deep")


def elements_in(value: Any) -> Iterator[Any]:
    """Yield the items of a list, or the value itself."""
    if isinstance(value, list | tuple):
        yield from value
    else:
        yield value


def xml_of(node: Node) -> str:
    """Return an element as XML text, without any white space that is not in it."""
    if node.tag == TEXT:
        return escape(node.text)
    attributes = "".join(f" {name}={quoteattr(text)}" for name, text in node.attributes.items())
    inside = escape(node.text) + "".join(map(xml_of, node.children))
    return f"<{node.tag}{attributes}>{inside}</{node.tag}>" if inside else f"<{node.tag}{attributes}/>"
