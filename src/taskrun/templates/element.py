"""An XML element as a value of scripts: the input and output of generators and of tags with the output mode ``node``.

Rules: it is read-only. It keeps the location of its source, so that problems of generated elements can be reported
there. The class has the short name Element, because scripts see it in messages and in ``type(…)``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from taskrun.script.limits import ScriptBudgetError
from taskrun.script.sandbox.budget import current_budget
from taskrun.syntax.node import TEXT, Node

MAX_ELEMENT_DEPTH = 200
"""The maximal nesting of an element that a template creates."""
MAX_ELEMENTS = 1_000_000
"""The maximal number of elements and texts in an element that a template creates."""


class Element:
    """Read-only XML element for scripts.

    >>> # <step name="a"/> as e:  e.tagName → 'step', e.attrText('name') → 'a'
    """

    __slots__ = ("_node",)

    def __init__(self, node: Node) -> None:
        self._node = node

    @property
    def tagName(self) -> str:
        """The tag, with its prefix."""
        return self._node.tag

    @property
    def attributes(self) -> dict[str, str]:
        """The attributes by name, as a new map."""
        return dict(self._node.attributes)

    @property
    def children(self) -> list[Element]:
        """The child elements, without texts."""
        return [Element(child) for child in self._node.children if child.tag != TEXT]

    @property
    def text(self) -> str:
        """The text directly in the element; text inside its child elements does not count."""
        return self._node.text or "".join(child.text for child in self._node.children if child.tag == TEXT)

    def attrText(self, name: str, default: str | None = None) -> str | None:
        """Return the value of an attribute, or ``default`` if it does not exist."""
        return self._node.attributes.get(name, default)

    def childByTag(self, tag: str) -> Element | None:
        """Return the first child element with this tag, or null if there is none."""
        child = self._node.child(tag)
        return None if child is None else Element(child)

    def childrenByTag(self, tag: str) -> list[Element]:
        """Return all child elements with this tag."""
        return [child for child in self.children if child.tagName == tag]

    def descendants(self) -> list[Element]:
        """Return all elements inside this one at any depth, in document order; each costs a tick."""
        current_budget().charge(size_of(self._node))
        return [Element(node) for node in self._node.walk() if node is not self._node and node.tag != TEXT]

    def location(self) -> str:
        """Return the location of the element as ``file:line:column``."""
        return str(self._node.at)

    def toXml(self) -> str:
        """Return the element with its content as XML text; each element in it costs a tick."""
        current_budget().charge(size_of(self._node))
        return xml_of(self._node)

    def __repr__(self) -> str:
        return f"<{self._node.tag}>"


def node_of(element: Element) -> Node:
    """Return the Node of an Element; it is not a method, so that scripts cannot get the Node."""
    return element._node  # noqa: SLF001 - used by this package only


def size_of(node: Node) -> int:
    """Return the number of elements and texts in a node; raises ScriptBudgetError if it is too large or too deep."""
    size, level, below = 0, [node], list[Node]()
    for _ in range(MAX_ELEMENT_DEPTH):
        for one in level:
            below.extend(one.children)
        size += len(level)
        if size > MAX_ELEMENTS:
            break
        if not below:
            return size
        level, below = below, []
    raise ScriptBudgetError("the template was stopped: it created an element that is too large or nested too deep")


def items_of(value: Any) -> Iterator[Any]:
    """Yield the items of a list or tuple; any other value is yielded itself, as the only item."""
    if isinstance(value, list | tuple):
        yield from value
    else:
        yield value


def xml_of(node: Node) -> str:
    """Return an element as XML text without added white space.

    Unlike ``syntax.xml_write``, it writes no CDATA sections, because the text may become part of HTML.
    """
    if node.tag == TEXT:
        return escape(node.text)
    start = start_tag(node.tag, node.attributes)
    inside = escape(node.text) + "".join(map(xml_of, node.children))
    return f"{start}>{inside}</{node.tag}>" if inside else f"{start}/>"


def start_tag(tag: str, attributes: Mapping[str, str]) -> str:
    """Return the start tag of an element without its end, so that the caller can add ``>`` or ``/>``.

    >>> start_tag("a", {"b": "1 < 2"})
    '<a b="1 &lt; 2"'
    """
    return f"<{tag}" + "".join(f" {name}={quoteattr(text)}" for name, text in attributes.items())
