"""Stage ``validate``: check a tree against the schema of the language.

Rules: lxml validates a copy of the tree without the parts that the schema does not describe: prefixed attributes, and
the contents of scripts and of prefixed elements. So a valid file costs only microseconds per element. If lxml refuses
the tree, a slower comparison with the schema finds all problems, and they are reported at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from taskrun.errors import Diagnostic
from taskrun.syntax.node import TEXT, Node

if TYPE_CHECKING:
    from lxml.etree import _Element

    from taskrun.syntax.schema import Schema

OWN_PREFIXES = frozenset({"c:", "x:"})
"""Prefixes of elements that are allowed only in certain elements; anywhere else they are an error."""

_EXTENSION = "{urn:extension}element"
_REFUSED = "_"  # a name that the schema does not have
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Pattern of a character that XML does not allow (a pattern of the allowed ones takes 4 ms to compile)."""


def find_problems(root: Node, schema: Schema) -> Iterator[Diagnostic]:
    """Yield an error for each element, attribute and value that the schema does not allow, in the order of the file."""
    tree = _tree(root, schema.opaque)
    if not schema.compiled.validate(tree):
        from taskrun.syntax.schema_errors import explain, lxml_problems

        yield from explain(root, schema) or lxml_problems(root, tree, schema)


def cross_check(root: Node, schema: Schema) -> list[Diagnostic]:
    """Return the problems that a second, slow validator (xmlschema) finds; only ``taskrun check --strict`` uses it.

    Each has the location of the root, and the path of the wrong element in its message.
    """
    found = schema.as_xmlschema.iter_errors(_tree(root, schema.opaque))
    return [root.problem("schema", f"xmlschema: {error.reason} (at {error.path})") for error in found]


def _tree(root: Node, opaque: frozenset[str]) -> _Element:
    """Return a copy of the tree as lxml elements for the validator, with the parts that the schema describes.

    It has the same elements in the same order. A text becomes a short mark, and a name that XML does not allow becomes
    one that the schema refuses.
    """
    from lxml.etree import Element, SubElement

    top = Element(root.tag if _PLAIN_NAME.match(root.tag) else _REFUSED, _clean(root))
    todo = [(root, top)]
    while todo:
        node, element = todo.pop()
        if node.text:
            element.text = _text_mark(node.text)
        for child in node.children:
            tag = child.tag
            if tag == TEXT:
                element.text = _text_mark(child.text) or element.text
            elif ":" in tag:
                SubElement(element, _REFUSED if tag[:2] in OWN_PREFIXES else _EXTENSION)
            else:
                try:
                    copy = SubElement(element, tag, child.attributes)  # type: ignore[arg-type] # any Mapping will do
                except ValueError:
                    copy = SubElement(element, tag if _PLAIN_NAME.match(tag) else _REFUSED, _clean(child))
                if (child.children or child.text) and tag not in opaque:
                    todo.append((child, copy))
    return top


def _text_mark(text: str) -> str | None:
    """Return ``"text"`` instead of a text, None for white space: the schema decides only whether text is allowed."""
    return "text" if text.strip(" \t\r\n") else None


def _clean(node: Node) -> dict[str, str]:
    """Return the attributes of an element without prefixed ones, in a form that lxml accepts.

    A name that is not allowed becomes ``_``, which the schema refuses; a forbidden character in a value becomes U+FFFD.
    """
    return {
        name if _PLAIN_NAME.match(name) else _REFUSED: NOT_XML.sub("\ufffd", value)
        for name, value in node.attributes.items()
        if ":" not in name
    }
