"""Parse task files: convert XML, YAML or JSON into a tree of nodes.

Rules: XML is read in one pass of Python's parser ``expat``, which reports the exact line and column of every ``<``.
There are no DTDs, no entities other than the five of XML, and no access to the network. The prefixes of the language
(``x:``, ``in:``, ``c:``, …) need no ``xmlns``. Every other prefix must be declared; all undeclared prefixes of a file
are reported together. Comments, and white space between elements, are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from xml.parsers import expat

from taskrun.errors import Diagnostic, XmlError, near_hint
from taskrun.source import Location, Source
from taskrun.syntax.node import NO_ATTRIBUTES, TEXT, Node
from taskrun.syntax.schema import Schema

PLAIN_ENDINGS = frozenset({".yaml", ".yml", ".json"})
WELL_KNOWN_PREFIXES = frozenset({"x", "in", "out", "c", "xpl", "task", "feature", "thisLib"})
MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 200

_DECLARED_ENCODING = re.compile(rb"""\A<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def load(path: str, schema: Schema | None = None) -> Node:
    """Return the root element of the file at ``path``; raises XmlError if it cannot be read or parsed.

    The ending of ``path`` selects XML, YAML or JSON. For YAML and JSON, ``schema`` decides which keys are elements. The
    default is the schema without the elements that other packages add.
    """
    file = Path(path)
    try:
        size = file.stat().st_size
        data = file.read_bytes() if size <= MAX_BYTES else b""
    except OSError as error:
        raise _refuse(path, "no-file", f"cannot read '{path}': {error.strerror or error}", _neighbours(file)) from None
    if size > MAX_BYTES:
        raise _refuse(path, "too-large", f"the file has {size:,} bytes; a task file may have at most {MAX_BYTES:,}")
    if file.suffix in PLAIN_ENDINGS:
        return parse_form(path, data, schema or Schema())
    return parse(path, data)


def parse_form(path: str, data: bytes, schema: Schema) -> Node:
    """Return the root element of the YAML or JSON text ``data``; raises XmlError if it cannot be parsed.

    ``path`` is the name of the file in errors; the text is JSON if it ends with ``.json``, else YAML. ``schema``
    decides which keys are elements.
    """
    from taskrun.syntax.forms.json_text import read_json
    from taskrun.syntax.forms.shapes import Shapes
    from taskrun.syntax.forms.yaml_form import read_form
    from taskrun.syntax.forms.yaml_text import read_yaml

    source = Source(path, _decode(path, data))
    read = read_json if path.endswith(".json") else read_yaml
    return read_form(read(source, MAX_DEPTH), source, Shapes(schema))


def parse(path: str, data: bytes) -> Node:
    """Return the root element of the XML text ``data``; raises XmlError, whose locations name the file ``path``."""
    return XmlReader(Source(path, _decode(path, data))).read()


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
    """Return the default prefix of a tag library, its file name without the ending: ``tags/money.xlib`` → ``money``."""
    return path.strip().rpartition("/")[2].removesuffix(".xlib")


def undeclared(node: Node, declared: frozenset[str], add: Callable[[str], str]) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each prefix of a node's tag and attributes that is not in ``declared``.

    ``add`` is a function of the prefix that returns how to declare it; the hint is "add" with this text.
    """
    for name in (None, *node.attributes):
        prefix, colon, _ = (name or node.tag).partition(":")
        if not colon or prefix in declared or prefix in {"xmlns", "xml"}:
            continue
        hint = f"add {add(prefix)}"
        if near := near_hint(prefix, declared):
            hint = f"{near} Otherwise {hint}"
        message = f"the prefix of '{name or node.tag}' is not declared"
        yield node.problem("prefix", message, hint=hint, attribute=name)


class _OpenElement(NamedTuple):
    """Element whose end tag has not been read yet; ``prefixes`` are the prefixes that are declared for its content."""

    tag: str
    attributes: Mapping[str, str]
    children: list[Node]
    line: int
    column: int
    prefixes: frozenset[str]


class XmlReader:
    """Builds the nodes of one XML text from the events of ``expat``: ``XmlReader(source).read()`` returns the root.

    The text is a file, or a fragment inside another file. ``prefixes`` are the prefixes declared outside the text.
    ``depth`` is the number of elements around it, which counts for the limit of nested elements.
    """

    def __init__(self, source: Source, prefixes: frozenset[str] = WELL_KNOWN_PREFIXES, depth: int = 0) -> None:
        self.source = source
        self.prefixes = prefixes
        self.most_depth: int = MAX_DEPTH - depth
        self.problems: list[Diagnostic] = []
        self.open: list[_OpenElement] = []
        self.texts: list[str] = []  # read since the last tag
        self.last_tag: tuple[int, int] = (1, 1)
        self.root: Node | None = None
        parser = expat.ParserCreate()
        self.parser: expat.XMLParserType = parser
        parser.buffer_text = True
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.texts.append
        parser.StartDoctypeDeclHandler = self.doctype

    def read(self) -> Node:
        """Parse the text and return the root element; raises XmlError with all problems of the text, if it has any."""
        try:
            self.parser.Parse(self.source.text, True)
        except expat.ExpatError as error:
            place = Location(self.source.path, error.lineno, error.offset + 1)
            self.note("xml", place, f"not well-formed XML: {expat.ErrorString(error.code)}", self.unclosed())
        if self.problems or self.root is None:
            raise XmlError(self.problems)
        return self.root

    def unclosed(self) -> str:
        """Return a hint that names the innermost element that is still open, ``""`` if there is none.

        It is the hint for text that is not well-formed, because the usual reason is a missing end tag.
        """
        if not self.open:
            return ""
        element = self.open[-1]
        return f"the element that is open here is <{element.tag}> from line {element.line}, column {element.column}"

    def note(self, code: str, place: Location, message: str, hint: str = "") -> None:
        """Append a diagnostic with this location to ``problems``; reading continues."""
        line = self.source.line(place.line)
        self.problems.append(Diagnostic(location=place, code=code, message=message, hint=hint, line=line))

    def stop(self, code: str, message: str, hint: str = "") -> XmlError:
        """Record a fatal problem at the position of the parser, and return the XmlError for the caller to raise.

        The error contains all problems of the text so far.
        """
        parser = self.parser
        place = Location(self.source.path, parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)
        self.note(code, place, message, hint)
        return XmlError(self.problems)

    def doctype(self, *_: object) -> None:
        """Handle the start of a DTD (``<!DOCTYPE``): raise XmlError, because a task file cannot have one."""
        place = self.source.location(self.source.text.index("<!DOCTYPE"))
        self.note("dtd", place, "a task file cannot have a DTD or entities of its own", "remove the <!DOCTYPE …>")
        raise XmlError(self.problems)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Handle a start tag: put a new element on the stack of open elements, and check its prefixes.

        Raises XmlError if elements are nested too deep.
        """
        parser = self.parser
        line, column = parser.CurrentLineNumber, parser.CurrentColumnNumber + 1
        stack = self.open
        if self.texts and stack:
            self.flush(stack[-1].children)
        if len(stack) >= self.most_depth:
            raise self.stop("too-deep", f"elements are nested more than {MAX_DEPTH} deep")
        prefixes = stack[-1].prefixes if stack else self.prefixes
        self.last_tag = (line, column)
        prefixed = ":" in tag
        for name, value in attributes.items():
            if ":" in name:
                prefixed = True
                if name.startswith("xmlns:"):
                    prefixes = prefixes | {name[6:]}
                elif name == "xpl:lib":
                    prefixes = prefixes | set(map(prefix_of_library, value.split(",")))
        if tag == "c:import" and stack:  # the imported prefix is declared for the siblings that follow
            own = attributes.get("as") or prefix_of_library(attributes.get("from", ""))
            above = (
                2 if stack[-1].tag == "x:config" and len(stack) > 1 else 1
            )  # an import in x:config is valid in the whole file
            stack[-above] = stack[-above]._replace(prefixes=stack[-above].prefixes | {own})
        stack.append(_OpenElement(tag, attributes or NO_ATTRIBUTES, [], line, column, prefixes))
        if prefixed:
            self.check_prefixes(stack[-1])

    def check_prefixes(self, element: _OpenElement) -> None:
        """Record a problem for each undeclared prefix of an element's tag and attributes."""
        node = Node(element.tag, element.attributes, (), "", self.source, element.line, element.column)
        self.problems.extend(undeclared(node, element.prefixes, self.declaration))

    def declaration(self, prefix: str) -> str:
        """Return, for a hint, what must be added to declare a prefix and where: ``xmlns:p="p" to <task>``."""
        return f'xmlns:{prefix}="{prefix}" to <{self.open[0].tag}>'

    def flush(self, children: list[Node]) -> None:
        """Append the text since the last tag to ``children`` as a ``#text`` node; drop it if it is white space."""
        text = "".join(self.texts)
        self.texts.clear()
        if not text.isspace():
            children.append(Node(TEXT, NO_ATTRIBUTES, (), text, self.source, *self.last_tag))

    def end(self, _tag: str) -> None:
        """Handle an end tag: build the node of its element, and add it to its parent or make it the root."""
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
