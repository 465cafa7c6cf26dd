"""Explain why the schema refuses a tree: report every problem at its exact location, with a hint what to write instead.

Rules: the tree is compared with the declarations of the schema. The content of unknown and of prefixed elements is not
checked. One mistake gives one problem: a required attribute whose name is misspelt is not also reported as missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, cast

from taskrun.errors import Diagnostic, near_hint, nearest
from taskrun.syntax.node import TEXT, Node
from taskrun.syntax.schema import AttributeDeclaration, ElementDeclaration, Schema
from taskrun.syntax.validate import OWN_PREFIXES

if TYPE_CHECKING:
    from lxml.etree import _Element, _LogEntry

_LONGEST_QUOTE = 40
_MOST_PLACES = 6


def explain(root: Node, schema: Schema) -> list[Diagnostic]:
    """Return a diagnostic for each part of the tree that the declarations do not allow, in the order of the file.

    The list is empty if the declarations do not show why lxml refused the tree; then use ``lxml_problems``.
    """
    grammar = schema.declarations
    if root.tag != grammar.tag:
        message = f"the root element is <{root.tag}>; a task file must have <{grammar.tag}>"
        return [root.problem("wrong-root", message, hint=near_hint(root.tag, [grammar.tag]))]
    places = _GrammarIndex(grammar)
    problems = list(_attributes(root, grammar, places))
    todo = _inside(root, grammar)
    while todo:
        node, parent, allowed = todo.pop()
        declared = allowed.children.get(node.tag)
        if node.tag == TEXT:
            problems.extend(_text(node, parent, allowed))
        elif declared:
            problems.extend(_attributes(node, declared, places))
            todo.extend(_inside(node, declared))
        elif ":" not in node.tag:
            message = f"<{node.tag}> is not known in <{parent.tag}>"
            problems.append(node.problem("unknown-element", message, hint=places.element_hint(node.tag, allowed)))
        elif node.tag[:2] in OWN_PREFIXES:
            message = f"<{node.tag}> has no meaning in <{parent.tag}>"
            hint = "template tags are allowed in scripts such as <source>" if node.tag.startswith("c:") else ""
            problems.append(node.problem("unknown-element", message, hint=hint))
    files = list(dict.fromkeys(problem.location.path for problem in problems))
    return sorted(problems, key=lambda problem: (files.index(problem.location.path), *problem.location[1:]))


_Pending = tuple[Node, Node, ElementDeclaration]


def _inside(node: Node, declared: ElementDeclaration) -> list[_Pending]:
    """Return what must be checked inside an element: its text and its children, in reverse order.

    Each is returned with the element and the declaration of the element, which tells whether it is allowed there.
    Nothing is checked inside an element that may contain any element.
    """
    if declared.opaque:
        return []
    text = (node._replace(tag=TEXT, children=()),) if node.text else ()
    return [(child, node, declared) for child in reversed((*text, *node.children))]


def _text(node: Node, parent: Node, allowed: ElementDeclaration) -> Iterator[Diagnostic]:
    text = node.text.strip(" \t\r\n")
    if allowed.text or not text:
        return
    hint = "write a script in <source>" if "source" in allowed.children else ""
    at = node.character_at(node.text.index(text))
    shown = " ".join(text.split())
    yield node.problem("unexpected-text", f"<{parent.tag}> cannot contain the text {_quoted(shown)}", hint=hint, at=at)


def _attributes(node: Node, declared: ElementDeclaration, places: _GrammarIndex) -> Iterator[Diagnostic]:
    if declared.any_attribute:
        return
    free = declared.attributes.keys() - node.attributes.keys()
    unknown = [name for name in node.attributes if name not in declared.attributes and ":" not in name]
    misspelt = {nearest(name, free) for name in unknown}
    for name in sorted(free - misspelt):
        if declared.attributes[name].required:
            hint = f"{name}: {declared.attributes[name].documentation}"
            yield node.problem("missing-attribute", f"<{node.tag}> needs the attribute {name}", hint=hint)
    for name, value in node.attributes.items():
        place = None if node.origin else name  # an element made from one attribute has none of its own
        if name in unknown:
            hint = places.attribute_hint(name, declared, free)
            message = f"<{node.tag}> has no attribute {name}"
            yield node.problem("unknown-attribute", message, hint=hint, attribute=place)
        elif (known := declared.attributes.get(name)) and not known.accepts(value):
            message = f"{name} is {_quoted(value)}; expected {known.expected}"
            yield node.problem("bad-value", message, hint=_value_hint(value, known), attribute=place)


def _value_hint(value: str, declared: AttributeDeclaration) -> str:
    if not value and not declared.required:
        return "leave the attribute out"
    return near_hint(value.strip(), declared.values or (["true", "false"] if declared.type == "xs:boolean" else []))


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…")


class _GrammarIndex:
    """Index of the schema for hints: in which elements each element is allowed, and on which each attribute."""

    def __init__(self, grammar: ElementDeclaration) -> None:
        self.of_element: dict[str, set[str]] = {}
        self.of_attribute: dict[str, set[str]] = {}
        self.steps: set[str] = set()
        for _, declared in grammar.walk():
            if "when" in declared.children:
                self.steps.add(declared.tag)
            for tag in declared.children:
                self.of_element.setdefault(tag, set()).add(declared.tag)
            for name in declared.attributes:
                self.of_attribute.setdefault(name, set()).add(declared.tag)

    def element_hint(self, tag: str, parent: ElementDeclaration) -> str:
        """Return a hint what to write instead of the element ``tag``, which is not allowed in ``parent``."""
        if tag in parent.attributes:
            return f'{tag} is an attribute: {tag}="…"'
        found = [near_hint(tag, parent.children), self._belongs(f"<{tag}> belongs in", self.of_element.get(tag))]
        return " ".join(filter(None, found)) or _allowed("element", [f"<{child}>" for child in parent.children])

    def attribute_hint(self, name: str, declared: ElementDeclaration, free: Iterable[str]) -> str:
        """Return a hint what to write instead of the attribute ``name``, which the element does not allow.

        ``free`` are the attributes that it allows and does not have yet.
        """
        if name == "xmlns":
            return "the elements of a task file have no namespace; remove it"
        if name in declared.children:
            return f"{name} is an element: <{name}>…</{name}>"
        near = near_hint(name, free) or near_hint(name, declared.attributes)
        found = [near, self._belongs(f"{name} belongs to", self.of_attribute.get(name))]
        return " ".join(filter(None, found)) or _allowed("attribute", sorted(declared.attributes))

    def _belongs(self, claim: str, places: set[str] | None) -> str:
        if not places:
            return ""
        names = ["any step"] if places >= self.steps else []
        names += [f"<{tag}>" for tag in sorted(places - self.steps if names else places)]
        if len(names) > _MOST_PLACES:
            names = [*names[:_MOST_PLACES], "others"]
        return f"{claim} {' or '.join(filter(None, [', '.join(names[:-1]), names[-1]]))}"


def _allowed(kind: str, names: list[str]) -> str:
    return f"allowed here: {', '.join(names)}" if names else f"no {kind} is allowed here"


def lxml_problems(root: Node, tree: _Element, schema: Schema) -> list[Diagnostic]:
    """Return the messages of lxml about ``tree``, its copy of ``root``, as diagnostics.

    Each has the location of the node that the message is about. They are the last resort, because the messages are
    poor. ``tree`` must be what ``schema.compiled`` has validated last.
    """
    problems = []
    for entry in cast("Iterable[_LogEntry]", schema.compiled.error_log):
        node = _node_at(root, tree, entry.path)
        problems.append(node.problem("schema", f"the schema refuses <{node.tag}>: {entry.message}"))
    return problems or [root.problem("schema", "the schema refuses this file for an unknown reason")]


def _node_at(root: Node, tree: _Element, path: str | None) -> Node:
    """Return the node of ``root`` whose copy in ``tree`` has the XPath ``path``; the root if no element has it."""
    document = tree.getroottree()
    element = next((element for element in tree.iter() if document.getpath(element) == path), tree)
    positions: list[int] = []
    while (parent := element.getparent()) is not None:
        positions.append(parent.index(element))
        element = parent
    node = root
    for position in reversed(positions):
        node = [child for child in node.children if child.tag != TEXT][position]
    return node
