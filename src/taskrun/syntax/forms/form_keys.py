"""What a key of a map in a YAML or JSON file stands for: an attribute, or one or more elements.

Rules: ``yaml_form`` tells them. Nothing is made here: a ``FormPart`` says what the reader has to make, so that the tree is gone
down in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from taskrun.errors import near_hint
from taskrun.syntax.forms.form_words import (
    ATTRIBUTES,
    ELEMENTS,
    JSON_VALUE,
    TAG,
    TYPE,
    WORDS,
    is_name,
    looks_like_xml,
)
from taskrun.syntax.forms.marked_values import Entries, Items, Scalar, Value
from taskrun.syntax.forms.shapes import FREE, Shape, Shapes
from taskrun.syntax.load import WELL_KNOWN_PREFIXES

KeyedPart = tuple[Scalar, "FormPart"]
"""A key with what it stands for; the key is the attribute's name if that has no tag."""


class FormPart(NamedTuple):
    """A part of the file that is an element: ``typed`` when it says its own tag; ``at`` is where it stands."""

    tag: str
    value: Value
    shape: Shape
    at: int
    typed: bool = False


class KeyInterpreter:
    """Knows the grammar, and whom to tell what is wrong: a function of offset, message and hint."""

    def __init__(self, shapes: Shapes, note: Callable[..., None]) -> None:
        self.shapes = shapes
        self.note = note

    def entry(self, key: Scalar, value: Value, parent: FormPart) -> Iterator[KeyedPart]:
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
            yield from self.child(key, value, shape)
        elif name in shape.plurals:
            yield from self.plural(key, value, shape)
        elif isinstance(value, Scalar) or shape.attributes.get(name) == "Template":
            yield key, FormPart("", value, FREE, key.start)
        else:
            yield from self.unknown(key, value, parent)

    def unknown(self, key: Scalar, value: Value, parent: FormPart) -> Iterator[KeyedPart]:
        """Yield the elements for a key that the schema does not know here, which it will say later."""
        name, shape = key.text, parent.shape
        if isinstance(value, Items) and not shape.script:
            lists = [*shape.plurals, *(tag for tag in shape.children if self.shapes.child(shape, tag).container)]
            hint = near_hint(name, lists) or (f"lists here: {', '.join(lists)}" if lists else "")
            self.note(key.start, f"there is no list {name} in {parent.tag}", hint)
            return
        for one in value.values if isinstance(value, Items) else (value,):
            yield key, FormPart(name, one, FREE, key.start if one is value else one.start)

    def child(self, key: Scalar, value: Value, shape: Shape) -> Iterator[KeyedPart]:
        """Yield the child element that the schema has for a key."""
        below = self.shapes.child(shape, key.text)
        if isinstance(value, Items) and not below.container:
            plural = next((plural for plural, tag in shape.plurals.items() if tag == key.text), "")
            hint = f"several stand in {plural}: […]" if plural else ""
            self.note(value.start, f"{key.text} is one thing, not a list", hint)
        else:
            yield key, FormPart(key.text, value, below, key.start)

    def word(self, key: Scalar, value: Value, parent: FormPart) -> Iterator[KeyedPart]:
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
                    yield name, FormPart("", item, FREE, name.start)
        else:
            expected = {ELEMENTS: "a list of maps", ATTRIBUTES: "a map"}.get(key.text, "a string")
            self.note(value.start, f"{key.text} is {expected}")

    def prefixed(self, key: Scalar, value: Value) -> Iterator[KeyedPart]:
        """Yield what a key with a prefix stands for."""
        name = key.text
        own = name.partition(":")[0] in WELL_KNOWN_PREFIXES
        if isinstance(value, Scalar):
            yield key, FormPart(name if own and looks_like_xml(value.text) else "", value, FREE, key.start)
            return
        values = value.values if isinstance(value, Items) else (value,)
        if not values or not all(declared_tag(item) or (own and isinstance(item, Entries)) for item in values):
            yield key, FormPart("", value, FREE, key.start)
            return
        for item in values:
            said = declared_tag(item)
            typed = said is not None and (not own or _has(item, TAG))
            if typed and said is not None and said.text != name:
                hint = f"write type: {name} for an element, or the map as a text that begins with {JSON_VALUE}"
                self.note(said.start, f"the type is '{said.text}', but the key '{name}'", hint)
            yield key, FormPart(name, item, FREE, key.start if item is value else item.start, typed)

    def plural(self, key: Scalar, value: Value, shape: Shape) -> Iterator[KeyedPart]:
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
                yield key, FormPart(tag, item, below, item.start)
            else:
                self.note(item.start, f"each {tag} is a map")

    def items(self, tag: str, value: Items, shape: Shape) -> Iterator[FormPart]:
        """Yield the elements of a list that is itself an element, such as ``steps``."""
        if not shape.item:
            yield from self.typed(value, shape)
            return
        for item in value.values:
            if isinstance(item, Entries):
                yield FormPart(shape.item, item, self.shapes.child(shape, shape.item), item.start)
            else:
                self.note(item.start, f"each {shape.item} in {tag} is a map")

    def typed(self, value: Items, shape: Shape) -> Iterator[FormPart]:
        """Yield elements that say their own tags."""
        for item in value.values:
            said = declared_tag(item)
            if said is not None:
                yield FormPart(said.text, item, self.shapes.child(shape, said.text), item.start, typed=True)
            elif isinstance(item, Entries):
                self.note(item.start, "a step needs its type", "add type: step, or another of the step types")
            else:
                self.note(item.start, "each item is a map with a type")

    def check_tag(self, value: Value) -> None:
        """Note that what says a tag is none."""
        if not isinstance(value, Scalar) or not is_name(value.text):
            shown = f"; '{value.text}' is none" if isinstance(value, Scalar) else ""
            self.note(value.start, f"the type is the name of an element{shown}")


def declared_tag(value: Value) -> Scalar | None:
    """Return the tag that a map says itself."""
    said = (value.get(TAG) or value.get(TYPE)) if isinstance(value, Entries) else None
    return said if isinstance(said, Scalar) and not said.nothing else None


def _has(value: Value, name: str) -> bool:
    return isinstance(value, Entries) and value.get(name) is not None
