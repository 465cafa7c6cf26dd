"""Build the tree of a flow in YAML or JSON: the same nodes as those of the same flow in XML.

    name: greet
    inputs:
      - {name: who, type: str}
    steps:
      - type: step
        name: hello
        retry: {maxRetryCount: 2}
        source: |
          return "Hello, " + who

Rules: a map is an element. Each item of ``steps`` declares its tag as ``type``. A key with a scalar is a child element
if the schema has such a child here, else an attribute; ``null`` counts as missing. ``inputs``, ``outputs`` and the like
are lists of elements ``<input>``, ``<output>`` … A string for an element with a script is XML if it begins with ``<``
and ends with ``>``. A key with a prefix is an attribute if its value is a scalar (but XML under a prefix of the
language is an element). With a map, the key is an element if the prefix is one of the language or the map has a
``type``; else it is an attribute that contains ``@:`` and the map as JSON. Special keys express everything else:
``$tag``, ``$text``, ``$xml``, ``$elements`` and ``$attributes`` (``form_words``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from taskrun.errors import Diagnostic, XmlError
from taskrun.source import Source
from taskrun.syntax.forms.form_keys import FormPart, KeyInterpreter, declared_tag
from taskrun.syntax.forms.form_places import FormPlaces
from taskrun.syntax.forms.form_words import JSON_VALUE, ROOT, TEXT_WORD, XML, is_name, json_scalar, looks_like_xml
from taskrun.syntax.forms.fragment import declaration, read_fragment
from taskrun.syntax.forms.marked_values import Entries, Items, Scalar, Value
from taskrun.syntax.forms.shapes import FREE, Shapes
from taskrun.syntax.forms.yaml_text import problem
from taskrun.syntax.load import MAX_DEPTH, WELL_KNOWN_PREFIXES, undeclared
from taskrun.syntax.node import NO_ATTRIBUTES, Node
from taskrun.syntax.validate import NOT_XML


def read_form(value: Value, source: Source, shapes: Shapes) -> Node:
    """Return the root element for the value of a YAML or JSON file; raises XmlError with all problems of the file."""
    reader = _FormReader(source, shapes)
    root = reader.root(value)
    if reader.problems or root is None:
        raise XmlError(sorted(reader.problems, key=lambda item: item.location[1:]))
    return root


@dataclass(slots=True)
class _Gathered:
    """Content of an element before its children are built.

    ``places`` has the key and value of each attribute, ``parts`` are the future children. ``text`` is the scalar that
    is the text of the element, or its content as XML if ``xml``.
    """

    attributes: dict[str, str] = field(default_factory=dict)
    places: dict[str, tuple[Scalar, Value]] = field(default_factory=dict)
    parts: list[FormPart] = field(default_factory=list)
    text: Scalar | None = None
    xml: bool = False


class _FormReader:
    """Builds the nodes of one YAML or JSON file, and collects the problems of the file."""

    def __init__(self, source: Source, shapes: Shapes) -> None:
        self.source = source
        self.shapes = shapes
        self.keys = KeyInterpreter(shapes, self.note)
        self.problems: list[Diagnostic] = []

    def note(self, start: int, message: str, hint: str = "", code: str = "wrong-form") -> None:
        self.problems.append(problem(self.source, code, start, message, hint))

    def root(self, value: Value) -> Node | None:
        if not isinstance(value, Entries):
            self.note(value.start, "a flow must be a map with keys such as name: and steps:")
            return None
        declared = declared_tag(value)
        tag = declared.text if declared else ROOT
        shape = self.shapes.root if tag == ROOT else FREE
        return self.element(FormPart(tag, value, shape, value.start, declared is not None), WELL_KNOWN_PREFIXES, 1)

    def element(self, part: FormPart, prefixes: frozenset[str], depth: int) -> Node:
        """Return the element for a ``FormPart``, with everything inside it.

        This is the only recursive function, so that deep nesting needs little of Python's stack.
        """
        found = self.gather(part)
        if depth > MAX_DEPTH:
            self.note(part.at, f"elements are nested more than {MAX_DEPTH} deep", code="too-deep")
            found = _Gathered()
        prefixes |= {name[6:] for name in found.attributes if name.startswith("xmlns:")}
        children = tuple(self.element(child, prefixes, depth + 1) for child in found.parts)
        text = ""
        if found.text:
            text, inner = self.content(part.tag, found.text, prefixes, depth if found.xml else 0)
            children = (*inner, *children)
            if text and children:
                self.note(
                    found.text.start,
                    f"an element cannot have text and child elements as keys; write both as XML under {XML}",
                )
        line, column = self.source.location(part.at)[1:]
        places = FormPlaces(self.source, found.places, found.text)
        attributes = found.attributes or NO_ATTRIBUTES
        node = Node(part.tag, attributes, children, text, self.source, line, column, places=places)
        self.problems += undeclared(node, prefixes, declaration)
        return node

    def gather(self, part: FormPart) -> _Gathered:
        """Return the content of the element for a ``FormPart``, without building the nodes of its children."""
        value = part.value
        if isinstance(value, Scalar):
            return _Gathered(text=value, xml=part.shape.script and looks_like_xml(value.text))
        if isinstance(value, Items):
            return _Gathered(parts=list(self.keys.items(part.tag, value, part.shape)))
        found = _Gathered()
        for key, item in value.pairs:
            if ":" in key.text and key.text not in self.source.text[key.start : key.end]:
                self.note(
                    key.start, f"the name {key.text} must be written without escapes"
                )  # extend searches the text for it
            if key.text in {TEXT_WORD, XML} and isinstance(item, Scalar):
                if found.text:
                    self.note(key.start, f"{TEXT_WORD} and {XML} exclude each other")
                found.text, found.xml = item, key.text == XML
                continue
            for name, meant in self.keys.entry(key, item, part):
                if meant.tag:
                    found.parts.append(meant)
                elif name.text in found.attributes:
                    self.note(name.start, f"the attribute {name.text} occurs twice", code="doubled")
                else:
                    found.attributes[name.text] = self.attribute(meant.value)
                    found.places[name.text] = (name, meant.value)
        return found

    def content(
        self, tag: str, scalar: Scalar, prefixes: frozenset[str], xml_depth: int
    ) -> tuple[str, tuple[Node, ...]]:
        """Return the text and the children of an element whose content is written as one scalar.

        If ``xml_depth`` is 0, the scalar is text. Else it is XML, and ``xml_depth`` is the depth of the element in the
        file.
        """
        self.check_characters(scalar)
        if not xml_depth:
            return "" if scalar.text.isspace() else scalar.text, ()
        outer = tag if is_name(tag) and ":" not in tag else ROOT  # a wrong tag is reported elsewhere
        try:
            node = read_fragment(outer, scalar, self.source, prefixes, xml_depth - 1)
        except XmlError as error:
            self.problems += error.diagnostics
            return "", ()
        return node.text, node.children

    def attribute(self, value: Value) -> str:
        """Return the value of an attribute as text; a list or map becomes ``@:`` followed by JSON."""
        if isinstance(value, Scalar):
            self.check_characters(value)
            return value.text
        return JSON_VALUE + json.dumps(_data(value), ensure_ascii=False)

    def check_characters(self, value: Scalar) -> None:
        if found := NOT_XML.search(value.text):
            start = value.offset(found.start(), self.source.text)
            self.note(start, f"the character U+{ord(found[0]):04X} is not allowed in a flow", code="yaml")


def _data(value: Value) -> Any:
    match value:
        case Scalar() as scalar:
            return scalar.text if scalar.style else json_scalar(scalar.text)
        case Items(values):
            return [_data(item) for item in values]
        case Entries(pairs):
            return {key.text: _data(item) for key, item in pairs}
