"""Convert a tree of nodes into the maps, lists and strings of a YAML or JSON file.

Rules: ``yaml_form`` reads the result back into the same tree, in the same order. Where a plain key is not possible,
such as for a second element with the same tag, the special keys of ``form_words`` are used. Content that the schema
does not describe, such as template tags, becomes a string of XML.
"""

from __future__ import annotations

from typing import TypeAlias

from taskrun.syntax.forms.form_words import (
    ATTRIBUTES,
    ELEMENTS,
    ROOT,
    TAG,
    TEXT_WORD,
    TYPE,
    XML,
    is_name,
    looks_like_xml,
)
from taskrun.syntax.forms.shapes import FREE, Shape, Shapes
from taskrun.syntax.load import WELL_KNOWN_PREFIXES
from taskrun.syntax.node import TEXT, Node
from taskrun.syntax.xml_write import write_content

Form: TypeAlias = "str | list[Form] | dict[str, Form]"


def form_of(root: Node, shapes: Shapes) -> dict[str, Form]:
    """Return a tree as the map that is the content of a YAML or JSON file."""
    own = root.tag == ROOT and TYPE not in root.attributes
    return _FormWriter(shapes).entries(root, shapes.root if root.tag == ROOT else FREE, "" if own else TYPE)


class _FormWriter:
    """Converts elements to maps and lists, according to the schema (``shapes``)."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes

    def entries(self, node: Node, shape: Shape, typed: str) -> dict[str, Form]:
        """Return the map for an element.

        ``typed`` is the key under which the map declares the tag of the element; ``""`` if the place of the map implies
        the tag.
        """
        form: dict[str, Form] = {}
        if typed:
            typed = TAG if TYPE in node.attributes else typed
            form[typed] = node.tag
        others: dict[str, Form] = {}
        for name, value in node.attributes.items():
            if _is_plain_attribute(name, value, shape):
                form[name] = value
            else:
                others[name] = value
        if others:
            form[ATTRIBUTES] = others
        if node.children and (shape.script or any(child.tag == TEXT for child in node.children)):
            form[XML] = write_content(node)
        elif node.children:
            self.children(node, shape, form)
        elif node.text:
            form[TEXT_WORD] = node.text
        return form

    def children(self, node: Node, shape: Shape, form: dict[str, Form]) -> None:
        """Add the child elements of a node to the map ``form``, each under its tag or its plural, such as ``inputs``.

        If a child cannot be written in this way, it and all children behind it go into the list ``$elements``.
        """
        plurals = {tag: plural for plural, tag in shape.plurals.items()}
        for index, child in enumerate(node.children):
            plural = plurals.get(child.tag, "")
            before = form.get(plural)
            if isinstance(before, list) and next(reversed(form)) == plural:
                before.append(self.entries(child, self.shapes.child(shape, child.tag), ""))
            elif plural and before is None:
                form[plural] = [self.entries(child, self.shapes.child(shape, child.tag), "")]
            elif not plural and child.tag not in form and self.is_plain_child(child, shape):
                form[child.tag] = self.value(child, shape)
            else:
                form[ELEMENTS] = [
                    self.entries(more, self.shapes.child(shape, more.tag), TYPE) for more in node.children[index:]
                ]
                return

    def is_plain_child(self, child: Node, shape: Shape) -> bool:
        """Return True if the tag of ``child`` can be its key in the map: it is then read back as this child."""
        taken = child.tag == TYPE or child.tag in shape.plurals or shape.attributes.get(child.tag) == "Template"
        return is_name(child.tag) and (child.tag in shape.children or not taken)

    def value(self, child: Node, parent: Shape) -> Form:
        """Return what is written behind the key of a child element: a map, a list or a text."""
        tag = child.tag
        shape = self.shapes.child(parent, tag)
        if tag not in parent.children:
            own = ":" not in tag or tag.partition(":")[0] in WELL_KNOWN_PREFIXES
            typed = TAG if own and ":" in tag and TYPE in child.attributes else "" if own else TYPE
            return self.entries(child, shape, typed)
        if child.attributes or any(inner.tag == TEXT for inner in child.children):
            return self.entries(child, shape, "")
        if shape.container and not child.text:
            same = not shape.item or all(inner.tag == shape.item for inner in child.children)
            if same:
                typed = "" if shape.item else TYPE
                return [self.entries(inner, self.shapes.child(shape, inner.tag), typed) for inner in child.children]
        if shape.script or not shape.attributes:
            if child.children:
                return write_content(child) if shape.script else self.entries(child, shape, "")
            if not (shape.script and looks_like_xml(child.text)) and not shape.children:
                return child.text
        return self.entries(child, shape, "")


def _is_plain_attribute(name: str, value: str, shape: Shape) -> bool:
    """Return True if the name of an attribute can be its key in the map: it is then read back as this attribute."""
    if not is_name(name):
        return False
    prefix, colon, _ = name.partition(":")
    if colon:
        return not (prefix in WELL_KNOWN_PREFIXES and looks_like_xml(value))
    return name not in shape.children and name not in shape.plurals
