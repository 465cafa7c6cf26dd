"""The syntax tree: nodes are immutable elements, and compute the exact location of each of their parts.

Rules: a node knows nothing of steps. The text of an element without child elements is its ``text``. Text between child
elements becomes child nodes with the tag ``#text``; white space alone is dropped. A node stores its line and column.
The location of an attribute, or of a character of a value, is computed from the source when an error needs it. A node
that was merged from several files or read from YAML has an object ``places``, which computes its locations instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

from taskrun.errors import Diagnostic, Severity
from taskrun.source import Location, Source

TEXT = "#text"
NO_ATTRIBUTES: Mapping[str, str] = MappingProxyType({})

_ATTRIBUTE = re.compile(r"""\s*([^\s=/>]+)\s*=\s*(["'])(.*?)\2""", re.DOTALL)
_TAG_NAME = re.compile(r"<[^\s/>]+")
_TAG = re.compile(r"""<(?:[^"'>]|"[^"]*"|'[^']*')*>""")
_PIECE = re.compile(r"<!\[CDATA\[|\]\]>|<!--.*?-->|<\?.*?\?>|&[^;\s]*;|\r\n|<|.", re.DOTALL)


class Places(Protocol):
    """Protocol of ``Node.places``: computes the locations of a node that is not one element of an XML file."""

    def attribute(self, name: str) -> Location | None:
        """Return the location of an attribute, or None if it is not known; then the location of the node is used."""

    def character(self, index: int, attribute: str | None) -> Location | None:
        """Return the location of character ``index`` of an attribute's value, or of the text if ``attribute`` is None.

        Returns None if it is not known; then the location of the node is used.
        """

    def source(self, path: str) -> Source | None:
        """Return the Source (path and text) of the file ``path`` if a part of the node comes from it, else None."""


class Node(NamedTuple):
    """Element of a file: tag, attributes, children, text and location.

    ``line`` and ``column`` are the position of its ``<``; for a ``#text`` node, of the tag before the text. ``origin``
    is empty unless the node was made from an attribute. From ``in:x="1"``, an ``<input>`` with a ``<source>`` is made:
    ``in:x`` is the origin of both, ``1`` is the text of the ``<source>``.
    """

    tag: str
    attributes: Mapping[str, str]
    children: tuple[Node, ...]
    text: str
    source: Source
    line: int
    column: int
    origin: str = ""
    places: Places | None = None

    @property
    def at(self) -> Location:
        """Location of the element; of the attribute ``origin`` if the node was made from an attribute."""
        if self.origin and self.places is not None:
            return self.places.attribute(self.origin) or Location(self.source.path, self.line, self.column)
        if self.origin and (found := self._attribute(self.origin)):
            return self.source.location(found.start(1))
        return Location(self.source.path, self.line, self.column)

    def text_of(self, attribute: str | None) -> str:
        """Return the value of an attribute, or the text of the element if ``attribute`` is None; "" if it is missing."""
        return self.text if attribute is None else self.attributes.get(attribute, "")

    def child(self, tag: str) -> Node | None:
        """Return the first child element with the given tag, or None."""
        for node in self.children:
            if node.tag == tag:
                return node
        return None

    def walk(self) -> Iterator[Node]:
        """Yield this node and all nodes below it, elements and texts, in the order of the document."""
        yield self
        for node in self.children:
            yield from node.walk()

    def attribute_at(self, name: str) -> Location:
        """Return the location of an attribute, or that of the element if it has no such attribute."""
        if self.places is not None:
            return self.places.attribute(name) or self.at
        found = self._attribute(name)
        return self.source.location(found.start(1)) if found else self.at

    def _attribute(self, name: str) -> re.Match[str] | None:
        text = self.source.text
        name_of_tag = _TAG_NAME.match(text, self.source.offset(self.line, self.column))
        position = name_of_tag.end() if name_of_tag else len(text)
        while found := _ATTRIBUTE.match(text, position):
            if found[1] == name:
                return found
            position = found.end()
        return None

    def character_at(self, index: int, attribute: str | None = None) -> Location:
        """Return the location of character ``index`` (from 0) of the value of ``attribute``.

        If ``attribute`` is None, it is the character of the text. Returns the location of the element if there is no
        such attribute.
        """
        attribute = attribute or self.origin
        if self.places is not None:
            return self.places.character(index, attribute or None) or self.at
        if not attribute:
            behind = self.source.offset(self.line, self.column)
            tag = _TAG.match(self.source.text, behind)
            start = (
                tag.end() if tag else behind if self.tag == TEXT else -1
            )  # a #text node behind <a/> begins right there
        else:
            found = self._attribute(attribute)
            start = found.start(3) if found else -1
        if start < 0:
            return self.at
        return self.source.location(_skip(self.source.text, start, index))

    def source_of(self, path: str) -> Source:
        """Return the Source (path and text) of the file ``path``, which shows the line of a problem.

        If no part of this node comes from this file, it is the Source of the node itself.
        """
        if self.places is not None and path != self.source.path:
            return self.places.source(path) or self.source
        return self.source

    def problem(
        self,
        code: str,
        message: str,
        *,
        hint: str = "",
        attribute: str | None = None,
        at: Location | None = None,
        severity: Severity = "error",
    ) -> Diagnostic:
        """Return a diagnostic with the source line of its location.

        The location is ``at`` if it is given, else that of the attribute ``attribute``, else that of this element.
        """
        place = at or (self.attribute_at(attribute) if attribute else self.at)
        line = self.source_of(place.path).line(place.line)
        return Diagnostic(location=place, code=code, message=message, hint=hint, line=line, severity=severity)


def same(one: Node, other: Node) -> bool:
    """Return True if two trees have equal tags, attributes, texts and children, else False; locations are ignored."""
    todo = [(one, other)]
    while todo:
        left, right = todo.pop()
        if (left.tag, left.text, len(left.children)) != (right.tag, right.text, len(right.children)):
            return False
        if dict(left.attributes) != dict(right.attributes):
            return False
        todo.extend(zip(left.children, right.children, strict=True))
    return True


def _skip(text: str, offset: int, count: int) -> int:
    """Return the offset in an XML text of character ``count`` (from 0) of a value that begins at ``offset``.

    Characters are counted as an XML parser returns them: an entity counts as one, a comment or ``<![CDATA[`` as none.
    """
    inside_cdata = False
    for piece in _PIECE.finditer(text, offset):
        raw = piece[0]
        if raw == "<![CDATA[" and not inside_cdata:
            inside_cdata = True
        elif raw == "]]>" and inside_cdata:
            inside_cdata = False
        elif not inside_cdata and raw.startswith(("<!--", "<?")):
            continue
        elif count <= 0 or (raw == "<" and not inside_cdata):
            return piece.start()
        elif inside_cdata and len(raw) > 1 and raw != "\r\n":
            if count < len(raw):
                return piece.start() + count
            count -= len(raw)
        else:
            count -= 1
    return len(text)
