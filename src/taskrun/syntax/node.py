"""The syntax tree: an XML element as a value, and the exact place of each of its parts.

Rules: a Node is immutable and knows nothing of steps. Text of an element without child elements is its ``text``;
where text stands between child elements, each piece is a child Node with the tag ``#text`` and white space alone
is dropped. Places are kept as the element's line and column; the place of an attribute, or of a character inside a
value, is worked out from the source when an error asks for it. A node that is not one element of an XML file (it was
merged from several, or read from YAML) has ``places`` that know.
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
    """Where the parts of a node stand that is not one element of an XML file."""

    def attribute(self, name: str) -> Location | None:
        """Return where an attribute starts, or None when the node itself is the place."""

    def character(self, index: int, attribute: str | None) -> Location | None:
        """Return where a character of the text, or of an attribute's value, stands, or None likewise."""

    def source(self, path: str) -> Source | None:
        """Return the text of a file that parts of the node come from."""


class Node(NamedTuple):
    """An element: tag, attributes, children, text, and where it stands.

    ``line`` and ``column`` are those of the ``<``; for a ``#text`` node, of the tag that the text follows. A node that
    stands for an attribute (``in:x="1"``) has the attribute's name as ``origin`` and its value as text.
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
        """The place of the element."""
        if self.origin and self.places is not None:
            return self.places.attribute(self.origin) or Location(self.source.path, self.line, self.column)
        if self.origin and (found := self._attribute(self.origin)):
            return self.source.location(found.start(1))
        return Location(self.source.path, self.line, self.column)

    def child(self, tag: str) -> Node | None:
        """Return the first child element of that tag, or None."""
        for node in self.children:
            if node.tag == tag:
                return node
        return None

    def walk(self) -> Iterator[Node]:
        """Yield this element and everything below it, in the order of the document."""
        yield self
        for node in self.children:
            yield from node.walk()

    def attribute_at(self, name: str) -> Location:
        """Return where the attribute ``name`` starts (the element's place when it has no such attribute)."""
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
        """Return where character ``index`` (from 0) of the text, or of an attribute's value, stands in the file."""
        attribute = attribute or self.origin
        if self.places is not None:
            return self.places.character(index, attribute or None) or self.at
        if not attribute:
            behind = self.source.offset(self.line, self.column)
            tag = _TAG.match(self.source.text, behind)
            start = tag.end() if tag else behind if self.tag == TEXT else -1  # behind <a/> there is no tag any more
        else:
            found = self._attribute(attribute)
            start = found.start(3) if found else -1
        if start < 0:
            return self.at
        return self.source.location(_skip(self.source.text, start, index))

    def source_of(self, path: str) -> Source:
        """Return the text of the file at ``path`` if parts of this node come from it, else that of the node."""
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
        """Return a Diagnostic at this element, at one of its attributes, or at the given place of its file."""
        place = at or (self.attribute_at(attribute) if attribute else self.at)
        line = self.source_of(place.path).line(place.line)
        return Diagnostic(location=place, code=code, message=message, hint=hint, line=line, severity=severity)


def same(one: Node, other: Node) -> bool:
    """Whether two trees say the same, wherever their parts stand."""
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
    """Return the offset of the character that follows ``count`` decoded characters of raw XML from ``offset``."""
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
