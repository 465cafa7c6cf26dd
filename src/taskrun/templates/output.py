"""Where the text and the elements of a template go.

Rules: the mode says what a body makes: ``none`` nothing but its value; ``text`` text; ``xml`` text in which values are
escaped (``html`` likewise); ``node`` elements; ``value`` (``xjson``) the list of its values. In ``none`` there is no output, so text is an error.
"""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from taskrun.script.limits import ScriptBudgetError
from taskrun.script.sandbox.budget import current_budget
from taskrun.syntax.node import NO_ATTRIBUTES, TEXT, Node
from taskrun.templates.element import Element, elements_in, node_of, size_of

MODES = ("none", "text", "html", "xml", "node", "value", "xjson")
TEXTUAL = frozenset({"text", "html", "xml"})
_ESCAPED = frozenset({"xml", "html"})
VALUES = frozenset({"value", "xjson"})
MOST_OUTPUT = 64 * 1024 * 1024
"""How many characters, or elements, a template may put out."""


class Output:
    """Collects what a body puts out."""

    __slots__ = ("_parts", "_rest", "mode")

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self._parts: list[Any] = []
        self._rest = MOST_OUTPUT

    def text(self, text: str, *, raw: bool = False) -> None:
        """Add text; in ``xml`` and ``html`` it is escaped unless it is ``raw``."""
        if self.mode in _ESCAPED and not raw:
            text = escape(text)
        self._add(text, len(text))

    def value(self, value: Any, where: Node, *, raw: bool = False) -> None:
        """Add a value as the mode has it."""
        if self.mode in VALUES:
            self._add(value, 1)
        elif self.mode == "node":
            for item in elements_in(value):
                if isinstance(item, Element):
                    self.node(node_of(item))
                elif item is not None:
                    self.node(where._replace(tag=TEXT, attributes=NO_ATTRIBUTES, children=(), text=shown(item)))
        elif value is not None:
            self.text(shown(value), raw=raw or _is_elements(value))

    def node(self, node: Node) -> None:
        """Add an element."""
        size = size_of(node)
        current_budget().charge(size)  # what is made of elements again and again can grow without end
        self._add(node, size)

    def _add(self, part: Any, size: int) -> None:
        self._rest -= size
        if self._rest < 0:
            raise ScriptBudgetError("the template was stopped: its output is too large")
        self._parts.append(part)

    def result(self) -> Any:
        """Return what was put out."""
        if self.mode in TEXTUAL:
            return "".join(self._parts)
        if self.mode == "node":
            return [Element(node) for node in self._parts]
        return list(self._parts)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The elements that were put out."""
        return tuple(self._parts)


def shown(value: Any) -> str:
    """Return a value as text: what scripts show, null as nothing, truth values as XML writes them."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if _is_elements(value):
        return "".join(item.toXml() for item in elements_in(value))
    return str(value)


def _is_elements(value: Any) -> bool:
    """Whether a value is an element, or a list of elements."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, Element) for item in value)
    return isinstance(value, Element)
