"""Interpret the keys of a YAML or JSON map: each one is an attribute, or one or more elements.

Rules: see ``yaml_form``. This module creates no nodes: it returns ``FormPart`` values, from which ``yaml_form`` builds
the nodes in one recursive function.
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
"""A key and its meaning: an element, or the attribute of the key's name if the part has no tag."""


class FormPart(NamedTuple):
    """Value of a YAML or JSON file that becomes an element with the tag ``tag``, or an attribute if the tag is ``""``.

    ``shape`` is what the schema allows in the element. ``at`` is the offset of the part in the file. ``typed`` means
    that the value itself declares its tag, by the key ``type`` or ``$tag``.
    """

    tag: str
    value: Value
    shape: Shape
    at: int
    typed: bool = False


class KeyInterpreter:
    """Interprets the keys of maps: decides by the schema (``shapes``) which are attributes and which are elements.

    ``note`` records a problem: a function of offset in the file, message and hint.
    """

    def __init__(self, shapes: Shapes, note: Callable[..., None]) -> None:
        self.shapes = shapes
        self.note = note

    def entry(self, key: Scalar, value: Value, parent: FormPart) -> Iterator[KeyedPart]:
        """Yield the elements and attributes that one key of a map and its value become; attributes have no tag.

        ``parent`` is the element that the map becomes. Nothing is yielded for a value ``null``, or for a key that is
        recorded as a problem.
        """
        name, shape = key.text, parent.shape
        if name in WORDS:
            yield from self.word(key, value, parent)
        elif name == TYPE and parent.typed and not _has(parent.value, TAG):
            self.check_tag(value)
        elif not is_name(name):
            hint = near_hint(name, WORDS) if name.startswith("$") else ""
            self.note(key.start, f"'{name}' is not a valid name of an attribute or an element", hint)
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
        """Yield elements for a key with a map or list that the schema does not allow; ``validate`` reports them.

        A list is recorded as a problem at once and yields nothing, unless the element may contain any element.
        """
        name, shape = key.text, parent.shape
        if isinstance(value, Items) and not shape.script:
            lists = [*shape.plurals, *(tag for tag in shape.children if self.shapes.child(shape, tag).container)]
            hint = near_hint(name, lists) or (f"lists here: {', '.join(lists)}" if lists else "")
            self.note(key.start, f"there is no list {name} in {parent.tag}", hint)
            return
        for one in value.values if isinstance(value, Items) else (value,):
            yield key, FormPart(name, one, FREE, key.start if one is value else one.start)

    def child(self, key: Scalar, value: Value, shape: Shape) -> Iterator[KeyedPart]:
        """Yield the child element whose tag is the key.

        A list as its value is recorded as a problem, unless the element is one that is written as a list, such as
        ``<steps>``.
        """
        below = self.shapes.child(shape, key.text)
        if isinstance(value, Items) and not below.container:
            plural = next((plural for plural, tag in shape.plurals.items() if tag == key.text), "")
            hint = f"write several as {plural}: […]" if plural else ""
            self.note(value.start, f"{key.text} is a single element, not a list", hint)
        else:
            yield key, FormPart(key.text, value, below, key.start)

    def word(self, key: Scalar, value: Value, parent: FormPart) -> Iterator[KeyedPart]:
        """Yield the elements of ``$elements`` or the attributes of ``$attributes``; check the tag of ``$tag``.

        For every other special key, and for a value of the wrong type, a problem is recorded.
        """
        if key.text == TAG:
            self.check_tag(value)
        elif key.text == ELEMENTS and isinstance(value, Items):
            for part in self.typed(value, parent.shape):
                yield key, part
        elif key.text == ATTRIBUTES and isinstance(value, Entries):
            for name, item in value.pairs:
                if not isinstance(item, Scalar) or not is_name(name.text):
                    self.note(name.start, f"{ATTRIBUTES} must be a map of names to strings")
                else:
                    yield name, FormPart("", item, FREE, name.start)
        else:
            expected = {ELEMENTS: "a list of maps", ATTRIBUTES: "a map"}.get(key.text, "a string")
            self.note(value.start, f"{key.text} must be {expected}")

    def prefixed(self, key: Scalar, value: Value) -> Iterator[KeyedPart]:
        """Yield the elements or the attribute for a key with a prefix, such as ``c:if``.

        A scalar becomes an attribute; but XML under a prefix of the language, such as ``c:``, becomes an element. A map
        becomes an element if the prefix is one of the language or if the map declares its tag. A list becomes several
        elements if this holds for all its items. All other maps and lists become an attribute.
        """
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
            tag = declared_tag(item)
            typed = tag is not None and (not own or _has(item, TAG))
            if typed and tag is not None and tag.text != name:
                hint = f"write type: {name} for an element, or the map as a string that begins with {JSON_VALUE}"
                self.note(tag.start, f"the type is '{tag.text}', but the key is '{name}'", hint)
            yield key, FormPart(name, item, FREE, key.start if item is value else item.start, typed)

    def plural(self, key: Scalar, value: Value, shape: Shape) -> Iterator[KeyedPart]:
        """Yield the elements for a key such as ``inputs``: each item of its list is an ``<input>``."""
        tag = shape.plurals[key.text]
        if not isinstance(value, Items):
            self.note(
                value.start,
                f"{key.text} must be a list",
                f"write each {tag} as an item: - name: …" if tag != "case" else "",
            )
            return
        below = self.shapes.child(shape, tag)
        for item in value.values:
            if isinstance(item, Entries):
                yield key, FormPart(tag, item, below, item.start)
            else:
                self.note(item.start, f"each {tag} must be a map")

    def items(self, tag: str, value: Items, shape: Shape) -> Iterator[FormPart]:
        """Yield the children of an element such as ``<steps>``, whose value is a list.

        ``tag`` is the tag of the element. If the schema allows only one tag for the children, the items do not declare
        it.
        """
        if not shape.item:
            yield from self.typed(value, shape)
            return
        for item in value.values:
            if isinstance(item, Entries):
                yield FormPart(shape.item, item, self.shapes.child(shape, shape.item), item.start)
            else:
                self.note(item.start, f"each {shape.item} in {tag} must be a map")

    def typed(self, value: Items, shape: Shape) -> Iterator[FormPart]:
        """Yield an element for each item of a list; each item declares its tag by ``type`` or ``$tag``."""
        for item in value.values:
            tag = declared_tag(item)
            if tag is not None:
                yield FormPart(tag.text, item, self.shapes.child(shape, tag.text), item.start, typed=True)
            elif isinstance(item, Entries):
                self.note(item.start, "the type of this step is missing", "add type: step, or another step type")
            else:
                self.note(item.start, "each item must be a map with a type")

    def check_tag(self, value: Value) -> None:
        """Record a problem if the value of ``type`` or ``$tag`` is not the name of an element."""
        if not isinstance(value, Scalar) or not is_name(value.text):
            shown = f", not '{value.text}'" if isinstance(value, Scalar) else ""
            self.note(value.start, f"the type must be the name of an element{shown}")


def declared_tag(value: Value) -> Scalar | None:
    """Return the tag that a map declares by ``$tag`` or ``type``; None if it has none or is not a map."""
    tag = (value.get(TAG) or value.get(TYPE)) if isinstance(value, Entries) else None
    return tag if isinstance(tag, Scalar) and not tag.nothing else None


def _has(value: Value, name: str) -> bool:
    return isinstance(value, Entries) and value.get(name) is not None
