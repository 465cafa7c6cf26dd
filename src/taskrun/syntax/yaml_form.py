"""Read a flow in YAML or JSON into the same tree of Nodes that its XML gives.

    name: greet
    inputs:
      - {name: who, type: str}
    steps:
      - type: step
        name: hello
        retry: {maxRetryCount: 2}
        source: |
          return "Hello, " + who

Rules: a map is an element, a list of ``steps`` says the ``type`` of each. A scalar is the child element of its key if the
schema has such a child here, else an attribute; ``null`` is nothing. ``inputs``, ``outputs`` and the like are lists of the
elements ``input``, ``output`` … A string for an element that holds a script is XML if it begins with ``<`` and ends with
``>``. A prefixed key is an attribute if scalar; a map is an element for the language's own prefixes, or if it has a
``type``, else an attribute with ``@:`` and JSON. The words of ``form_words`` say what no other form can.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from taskrun.errors import Diagnostic, XmlError, near_hint
from taskrun.source import Source
from taskrun.syntax.form_places import FormPlaces
from taskrun.syntax.form_words import (
    ATTRIBUTES,
    ELEMENTS,
    TAG,
    TEXT_WORD,
    TYPE,
    WORDS,
    XML,
    is_name,
    json_scalar,
    looks_like_xml,
)
from taskrun.syntax.fragment import declaration, read_fragment
from taskrun.syntax.load import MAX_DEPTH, WELL_KNOWN_PREFIXES, undeclared
from taskrun.syntax.node import NO_ATTRIBUTES, Node
from taskrun.syntax.plain import Entries, Items, Scalar, Value
from taskrun.syntax.shapes import FREE, Shape, Shapes
from taskrun.syntax.validate import NOT_XML
from taskrun.syntax.yaml_text import problem

ROOT = "task"
JSON_VALUE = "@:"


class _Part(NamedTuple):
    """A part of the file that is an element: ``typed`` when it says its own tag; ``at`` is where it stands."""

    tag: str
    value: Value
    shape: Shape
    at: int
    typed: bool = False


def read_form(value: Value, source: Source, shapes: Shapes) -> Node:
    """Return the root element that a file holds; raises XmlError with every problem of it."""
    reader = _Reader(source, shapes)
    root = reader.root(value)
    if reader.problems or root is None:
        raise XmlError(sorted(reader.problems, key=lambda item: item.location[1:]))
    return root


class _Reader:
    """Builds Nodes from values; one per file."""

    def __init__(self, source: Source, shapes: Shapes) -> None:
        self.source = source
        self.shapes = shapes
        self.problems: list[Diagnostic] = []

    def root(self, value: Value) -> Node | None:
        if not isinstance(value, Entries):
            self.note(value.start, "a flow is a map: it begins with keys such as name: and steps:")
            return None
        said = _said(value)
        tag = said.text if said else ROOT
        shape = self.shapes.root if tag == ROOT else FREE
        return self.element(_Part(tag, value, shape, value.start, said is not None), WELL_KNOWN_PREFIXES, 1)

    def note(self, start: int, message: str, hint: str = "", code: str = "wrong-form") -> None:
        self.problems.append(problem(self.source, code, start, message, hint))

    def element(self, part: _Part, prefixes: frozenset[str], depth: int) -> Node:
        """Return the element for a part; the one function that goes down the tree, so that it may be deep."""
        tag, value, shape, start, _ = part
        attributes: dict[str, str] = {}
        places: dict[str, tuple[Scalar, Value]] = {}
        inner: list[_Part] = []
        text: Scalar | None = None
        xml = False
        if depth > MAX_DEPTH:
            self.note(start, f"elements are nested more than {MAX_DEPTH} deep", code="too-deep")
        elif isinstance(value, Scalar):
            text, xml = value, shape.script and looks_like_xml(value.text)
        elif isinstance(value, Items):
            inner += self.items(tag, value, shape)
        else:
            prefixes |= {key.text[6:] for key, _ in value.pairs if key.text.startswith("xmlns:")}
            for key, item in value.pairs:
                if key.text in {TEXT_WORD, XML} and isinstance(item, Scalar):
                    if text:
                        self.note(key.start, f"{TEXT_WORD} and {XML} exclude each other")
                    text, xml = item, key.text == XML
                    continue
                for name, found in self.entry(key, item, part):
                    if found.tag:
                        inner.append(found)
                    elif name.text in attributes:
                        self.note(name.start, f"the attribute {name.text} stands twice", code="doubled")
                    else:
                        attributes[name.text] = self.attribute(found.value)
                        places[name.text] = (name, found.value)
        children = tuple(self.element(child, prefixes, depth + 1) for child in inner)
        content = ""
        if xml and text:
            content, more = self.fragment(tag, text, prefixes, depth)
            children = (*more, *children)
        elif text:
            content = "" if text.text.isspace() else text.text
            self.check_characters(text)
        if content and children:
            self.note(text.start if text else start, f"text and elements beside each other are XML: use {XML} for both")
        at = self.source.location(start)
        where = FormPlaces(self.source, places, text)
        node = Node(tag, attributes or NO_ATTRIBUTES, children, content, self.source, at.line, at.column, places=where)
        self.problems += undeclared(node, prefixes, declaration)
        return node

    def fragment(self, tag: str, text: Scalar, prefixes: frozenset[str], depth: int) -> tuple[str, tuple[Node, ...]]:
        self.check_characters(text)
        try:
            node = read_fragment(
                tag if is_name(tag) else ROOT, text, self.source, prefixes | {tag.partition(":")[0]}, depth - 1
            )
        except XmlError as error:
            self.problems += error.diagnostics
            return "", ()
        return node.text, node.children

    def entry(self, key: Scalar, value: Value, parent: _Part) -> Iterator[tuple[Scalar, _Part]]:
        """Yield what a key of a map stands for: elements, or attributes, which have no tag."""
        name, shape = key.text, parent.shape
        if name in WORDS:
            yield from self.word(key, value, parent)
        elif name == TYPE and parent.typed and not _has(parent.value, TAG):
            self.check_tag(value)
        elif not is_name(name):
            hint = near_hint(name, WORDS) if name.startswith("$") else ""
            self.note(key.start, f"'{name}' is no name of an attribute or an element", hint)
        elif isinstance(value, Scalar) and value.nothing:
            return
        elif ":" in name:
            yield from self.prefixed(key, value)
        elif name in shape.children:
            below = self.shapes.child(shape, name)
            if isinstance(value, Items) and not below.container:
                plural = next((plural for plural, tag in shape.plurals.items() if tag == name), "")
                hint = f"several stand in {plural}: […]" if plural else ""
                self.note(value.start, f"{name} is one thing, not a list", hint)
            else:
                yield key, _Part(name, value, below, key.start)
        elif name in shape.plurals:
            yield from self.plural(key, value, shape)
        elif isinstance(value, Scalar) or shape.attributes.get(name) == "Template":
            yield key, _Part("", value, FREE, key.start)
        elif isinstance(value, Items) and shape.script:
            for one in value.values:
                yield key, _Part(name, one, FREE, one.start)
        else:
            yield key, _Part(name, value, FREE, key.start)

    def word(self, key: Scalar, value: Value, parent: _Part) -> Iterator[tuple[Scalar, _Part]]:
        """Yield what one of the words with ``$`` stands for."""
        if key.text == TAG:
            self.check_tag(value)
        elif key.text == ELEMENTS and isinstance(value, Items):
            for part in self.typed(value, parent.shape):
                yield key, part
        elif key.text == ATTRIBUTES and isinstance(value, Entries):
            for name, item in value.pairs:
                if not isinstance(item, Scalar) or not is_name(name.text):
                    self.note(name.start, f"{ATTRIBUTES} is a map of names and texts")
                else:
                    yield name, _Part("", item, FREE, name.start)
        else:
            expected = {ELEMENTS: "a list of maps", ATTRIBUTES: "a map"}.get(key.text, "a string")
            self.note(value.start, f"{key.text} is {expected}")

    def prefixed(self, key: Scalar, value: Value) -> Iterator[tuple[Scalar, _Part]]:
        """Yield what a key with a prefix stands for."""
        name = key.text
        own = name.partition(":")[0] in WELL_KNOWN_PREFIXES
        if isinstance(value, Scalar):
            yield key, _Part(name if own and looks_like_xml(value.text) else "", value, FREE, key.start)
            return
        values = value.values if isinstance(value, Items) else (value,)
        if not values or not all(_said(item) or (own and isinstance(item, Entries)) for item in values):
            yield key, _Part("", value, FREE, key.start)
            return
        for item in values:
            said = _said(item)
            typed = said is not None and (not own or _has(item, TAG))
            if typed and said is not None and said.text != name:
                hint = f"write type: {name} for an element, or the map as a text that begins with {JSON_VALUE}"
                self.note(said.start, f"the type is '{said.text}', but the key '{name}'", hint)
            yield key, _Part(name, item, FREE, key.start if item is value else item.start, typed)

    def plural(self, key: Scalar, value: Value, shape: Shape) -> Iterator[tuple[Scalar, _Part]]:
        """Yield the elements of a list such as ``inputs``."""
        tag = shape.plurals[key.text]
        if not isinstance(value, Items):
            self.note(
                value.start, f"{key.text} is a list", f"each {tag} is an item: - name: …" if tag != "case" else ""
            )
            return
        below = self.shapes.child(shape, tag)
        for item in value.values:
            if isinstance(item, Entries):
                yield key, _Part(tag, item, below, item.start)
            else:
                self.note(item.start, f"each {tag} is a map")

    def items(self, tag: str, value: Items, shape: Shape) -> Iterator[_Part]:
        """Yield the elements of a list that is itself an element, such as ``steps``."""
        if not shape.item:
            yield from self.typed(value, shape)
            return
        for item in value.values:
            if isinstance(item, Entries):
                yield _Part(shape.item, item, self.shapes.child(shape, shape.item), item.start)
            else:
                self.note(item.start, f"each {shape.item} in {tag} is a map")

    def typed(self, value: Items, shape: Shape) -> Iterator[_Part]:
        """Yield elements that say their own tags."""
        for item in value.values:
            said = _said(item)
            if said is not None:
                yield _Part(said.text, item, self.shapes.child(shape, said.text), item.start, typed=True)
            elif isinstance(item, Entries):
                self.note(item.start, "a step needs its type", "add type: step, or another of the step types")
            else:
                self.note(item.start, "each item is a map with a type")

    def check_tag(self, value: Value) -> None:
        if not isinstance(value, Scalar) or not is_name(value.text):
            shown = f"; '{value.text}' is none" if isinstance(value, Scalar) else ""
            self.note(value.start, f"the type is the name of an element{shown}")

    def check_characters(self, value: Scalar) -> None:
        if found := NOT_XML.search(value.text):
            start = value.offset(found.start(), self.source.text)
            self.note(start, f"the character U+{ord(found[0]):04X} is not allowed in a flow", code="yaml")

    def attribute(self, value: Value) -> str:
        """Return the text of an attribute: lists and maps are JSON."""
        if isinstance(value, Scalar):
            self.check_characters(value)
            return value.text
        return JSON_VALUE + json.dumps(_data(value), ensure_ascii=False)


def _said(value: Value) -> Scalar | None:
    """Return the tag that a map says itself."""
    said = (value.get(TAG) or value.get(TYPE)) if isinstance(value, Entries) else None
    return said if isinstance(said, Scalar) and not said.nothing else None


def _has(value: Value, name: str) -> bool:
    return isinstance(value, Entries) and value.get(name) is not None


def _data(value: Value) -> Any:
    match value:
        case Scalar() as scalar:
            return scalar.text if scalar.style else json_scalar(scalar.text)
        case Items(values):
            return [_data(item) for item in values]
        case Entries(pairs):
            return {key.text: _data(item) for key, item in pairs}
