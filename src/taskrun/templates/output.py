"""Output of a template: collects text, elements or values.

Rules: the output mode determines what a body produces: ``none`` its value only; ``text`` text; ``xml`` and ``html``
text in which values are escaped; ``node`` elements; ``value`` (or ``xjson``) the list of its values. In the mode
``none`` there is no output, so text is an error.
"""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from taskrun.script.limits import ScriptBudgetError
from taskrun.script.sandbox.budget import current_budget
from taskrun.syntax.node import NO_ATTRIBUTES, TEXT, Node
from taskrun.templates.element import Element, items_of, node_of, size_of

MODES = ("none", "text", "html", "xml", "node", "value", "xjson")
TEXTUAL = frozenset({"text", "html", "xml"})
_ESCAPED = frozenset({"xml", "html"})
VALUES = frozenset({"value", "xjson"})
MAX_OUTPUT = 64 * 1024 * 1024
"""The maximal number of characters, elements or values that one output can collect."""


class TemplateOutput:
    """Collects the output of one body in one output mode; ``result()`` returns it.

    Raises ScriptBudgetError when it becomes too large.
    """

    __slots__ = ("_parts", "_rest", "mode")

    def __init__(self, mode: str) -> None:
        self.mode: str = mode
        self._parts: list[Any] = []
        self._rest = MAX_OUTPUT

    def add_text(self, text: str, *, raw: bool = False) -> None:
        """Add text; in the modes ``xml`` and ``html`` its ``<``, ``>`` and ``&`` are escaped unless ``raw`` is set."""
        if self.mode in _ESCAPED and not raw:
            text = escape(text)
        self._add(text, len(text))

    def add_value(self, value: Any, where: Node, *, raw: bool = False) -> None:
        """Add a value in the form of the output mode: unchanged, as elements, or as text.

        ``where`` is the element of the template that produced it, which gives a text node its location. ``raw`` means
        that the text is not escaped.
        """
        if self.mode in VALUES:
            self._add(value, 1)
        elif self.mode == "node":
            for item in items_of(value):
                if isinstance(item, Element):
                    self.add_node(node_of(item))
                elif item is not None:
                    self.add_node(where._replace(tag=TEXT, attributes=NO_ATTRIBUTES, children=(), text=text_of(item)))
        elif value is not None:
            self.add_text(text_of(value), raw=raw or _is_elements(value))

    def add_node(self, node: Node) -> None:
        """Add an element or a text node; each node in it costs a tick."""
        size = size_of(node)
        current_budget().charge(size)  # a loop that nests elements into each other can grow without limit
        self._add(node, size)

    def _add(self, part: Any, size: int) -> None:
        """Add a text, element or value of the given size; raises ScriptBudgetError if the sum exceeds MAX_OUTPUT."""
        self._rest -= size
        if self._rest < 0:
            raise ScriptBudgetError("the template was stopped: its output is too large")
        self._parts.append(part)

    def result(self) -> Any:
        """Return the collected output: text, a list of elements or a list of values, as the output mode determines."""
        if self.mode in TEXTUAL:
            return "".join(self._parts)
        if self.mode == "node":
            return [Element(node) for node in self._parts]
        return list(self._parts)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The collected elements and text nodes; to be used in the mode ``node`` only."""
        return tuple(self._parts)


def text_of(value: Any) -> str:
    """Return a value as text: null as empty text, booleans as ``true`` and ``false``, elements as XML.

    >>> text_of(None), text_of(True), text_of(1.5)
    ('', 'true', '1.5')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if _is_elements(value):
        return "".join(item.toXml() for item in items_of(value))
    return str(value)


def _is_elements(value: Any) -> bool:
    """Return whether a value is an element or a non-empty list of elements."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, Element) for item in value)
    return isinstance(value, Element)
