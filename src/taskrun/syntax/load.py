"""Read a task file into a tree of Nodes.

Rules: one pass of expat, which knows the exact line and column of every ``<``; no DTD, no entities but the five of
XML, no network. The well-known prefixes need no ``xmlns``; every other prefix must be declared, and all that are not
are reported together. White space between elements and comments are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from xml.parsers import expat

from taskrun.errors import Diagnostic, XmlError, near_hint
from taskrun.source import Location, Source
from taskrun.syntax.node import NO_ATTRIBUTES, TEXT, Node

WELL_KNOWN_PREFIXES = frozenset({"x", "in", "out", "c", "xpl", "task", "feature", "thisLib"})
MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 200

_DECLARED_ENCODING = re.compile(rb"""\A<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def load(path: str) -> Node:
    """Return the root element of the file at ``path``, or raise XmlError with what is wrong with the file."""
    file = Path(path)
    if file.suffix in {".yaml", ".yml", ".json"}:
        message = f"'{path}': flows in {file.suffix[1:].upper().replace('YML', 'YAML')} are not supported yet"
        raise _refuse(path, "not-supported", message, "write it in XML")
    try:
        size = file.stat().st_size
        data = file.read_bytes() if size <= MAX_BYTES else b""
    except OSError as error:
        raise _refuse(path, "no-file", f"cannot read '{path}': {error.strerror or error}", _neighbours(file)) from None
    if size > MAX_BYTES:
        raise _refuse(path, "too-large", f"the file has {size:,} bytes; a task file has at most {MAX_BYTES:,}")
    return parse(path, data)


def parse(path: str, data: bytes) -> Node:
    """Return the root element of the XML text ``data``; ``path`` is its name in errors."""
    return _Reader(Source(path, _decode(path, data))).read()


def _decode(path: str, data: bytes) -> str:
    declared = _DECLARED_ENCODING.match(data)
    encoding = declared[1].decode("ascii") if declared else "utf-8"
    for mark, name in _BOMS:
        if data.startswith(mark):
            encoding = name
    try:
        return data.decode(encoding)
    except LookupError:
        raise _refuse(path, "encoding", f"unknown encoding '{encoding}'", "write the file in UTF-8") from None
    except UnicodeDecodeError as error:
        before = data[: error.start]
        start = before.rfind(b"\n") + 1
        place = Location(path, before.count(b"\n") + 1, len(before[start:].decode(encoding, "replace")) + 1)
        message = f"byte 0x{data[error.start]:02x} is not valid {encoding}"
        raise XmlError([Diagnostic(location=place, code="encoding", message=message)]) from None


def _refuse(path: str, code: str, message: str, hint: str = "") -> XmlError:
    return XmlError([Diagnostic(location=Location(path, 1, 1), code=code, message=message, hint=hint)])


def _neighbours(file: Path) -> str:
    try:
        return near_hint(file.name, (entry.name for entry in file.parent.iterdir()))
    except OSError:
        return ""


def prefix_of_library(path: str) -> str:
    """Return the prefix of the tags of a library that is named by its file, where none is given."""
    return path.strip().rpartition("/")[2].removesuffix(".xlib")


class _Open(NamedTuple):
    """An element whose end tag has not been seen yet."""

    tag: str
    attributes: Mapping[str, str]
    children: list[Node]
    line: int
    column: int
    prefixes: frozenset[str]


class _Reader:
    """Builds Nodes from expat's events; one per file."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Diagnostic] = []
        self.open: list[_Open] = []
        self.texts: list[str] = []  # since the last tag, which stands at:
        self.last_tag = (1, 1)
        self.root: Node | None = None
        parser = self.parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.texts.append
        parser.StartDoctypeDeclHandler = self.doctype

    def read(self) -> Node:
        try:
            self.parser.Parse(self.source.text, True)
        except expat.ExpatError as error:
            place = Location(self.source.path, error.lineno, error.offset + 1)
            self.note("xml", place, f"not well-formed XML: {expat.ErrorString(error.code)}", self.unclosed())
        if self.problems or self.root is None:
            raise XmlError(self.problems)
        return self.root

    def unclosed(self) -> str:
        if not self.open:
            return ""
        element = self.open[-1]
        return f"the element that is open here is <{element.tag}> from line {element.line}, column {element.column}"

    def note(self, code: str, place: Location, message: str, hint: str = "") -> None:
        line = self.source.line(place.line)
        self.problems.append(Diagnostic(location=place, code=code, message=message, hint=hint, line=line))

    def stop(self, code: str, message: str, hint: str = "") -> XmlError:
        parser = self.parser
        place = Location(self.source.path, parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)
        self.note(code, place, message, hint)
        return XmlError(self.problems)

    def doctype(self, *_: object) -> None:
        place = self.source.location(self.source.text.index("<!DOCTYPE"))
        self.note("dtd", place, "a task file has no DTD and no entities of its own", "take the <!DOCTYPE …> out")
        raise XmlError(self.problems)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        parser = self.parser
        line, column = parser.CurrentLineNumber, parser.CurrentColumnNumber + 1
        stack = self.open
        if self.texts and stack:
            self.flush(stack[-1].children)
        if len(stack) >= MAX_DEPTH:
            raise self.stop("too-deep", f"elements are nested more than {MAX_DEPTH} deep")
        prefixes = stack[-1].prefixes if stack else WELL_KNOWN_PREFIXES
        self.last_tag = (line, column)
        prefixed = ":" in tag
        for name, value in attributes.items():
            if ":" in name:
                prefixed = True
                if name.startswith("xmlns:"):
                    prefixes = prefixes | {name[6:]}
                elif name == "xpl:lib":
                    prefixes = prefixes | set(map(prefix_of_library, value.split(",")))
        if tag == "c:import" and stack:  # what it imports is there for what follows it
            own = attributes.get("as") or prefix_of_library(attributes.get("from", ""))
            above = 2 if stack[-1].tag == "x:config" and len(stack) > 1 else 1  # that is for the whole file
            stack[-above] = stack[-above]._replace(prefixes=stack[-above].prefixes | {own})
        stack.append(_Open(tag, attributes or NO_ATTRIBUTES, [], line, column, prefixes))
        if prefixed:
            self.check_prefixes(stack[-1])

    def check_prefixes(self, element: _Open) -> None:
        node = Node(element.tag, element.attributes, (), "", self.source, element.line, element.column)
        for name in (None, *element.attributes):
            prefix, colon, _ = (name or element.tag).partition(":")
            if not colon or prefix in element.prefixes or prefix in {"xmlns", "xml"}:
                continue
            hint = f'add xmlns:{prefix}="{prefix}" to <{self.open[0].tag}>'
            if near := near_hint(prefix, element.prefixes):
                hint = f"{near} Otherwise {hint}"
            message = f"the prefix of '{name or element.tag}' is not declared"
            self.problems.append(node.problem("prefix", message, hint=hint, attribute=name))

    def flush(self, children: list[Node]) -> None:
        text = "".join(self.texts)
        self.texts.clear()
        if not text.isspace():
            children.append(Node(TEXT, NO_ATTRIBUTES, (), text, self.source, *self.last_tag))

    def end(self, _tag: str) -> None:
        tag, attributes, children, line, column, _ = self.open.pop()
        text = ""
        if self.texts:
            if children:
                self.flush(children)
            else:
                text = "".join(self.texts)
                self.texts.clear()
                if text.isspace():
                    text = ""
        node = Node(tag, attributes, tuple(children), text, self.source, line, column)
        if self.open:
            self.open[-1].children.append(node)
            self.last_tag = (self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1)
        else:
            self.root = node
