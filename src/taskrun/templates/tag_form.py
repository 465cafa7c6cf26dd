"""Checks of the form of an ``.xlib`` file: its elements, its attributes and their values.

Rules: an unknown attribute or element is a problem. ``description``, ``example`` and ``displayName`` are documentation.
Elements and attributes with a prefix belong to extensions and are not checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from taskrun.errors import Diagnostic, near_hint
from taskrun.syntax.node import TEXT, Node
from taskrun.templates.output import MODES

_DOCUMENTATION = frozenset({"description", "example"})
_TAG = frozenset(
    (
        "outputMode",
        "macro",
        "conditionTag",
        "attrsVar",
        "unknownAttrsVar",
        "ignoreUnknownAttrs",
        "displayName",
        "internal",
    )
)
_ATTRIBUTES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "attr": frozenset(
            ("name", "type", "mandatory", "optional", "implicit", "defaultValue", "varName", "displayName")
        ),
        "slot": frozenset(("name", "slotType", "mandatory", "outputMode", "displayName")),
        "arg": frozenset(("name", "displayName")),
        "return": frozenset({"type"}),
        "source": frozenset(),
    }
)
_CHILDREN: Mapping[str, frozenset[str]] = MappingProxyType(
    {"attr": _DOCUMENTATION, "slot": _DOCUMENTATION | {"arg"}, "arg": _DOCUMENTATION, "return": _DOCUMENTATION}
)
_PARTS = frozenset(("attr", "slot", "source", "return")) | _DOCUMENTATION
_ONCE = _DOCUMENTATION | {"source", "return"}
_BOOLEANS = frozenset(("macro", "conditionTag", "ignoreUnknownAttrs", "mandatory", "optional", "implicit", "internal"))
_NAMES = frozenset(("varName", "attrsVar", "unknownAttrsVar"))
_TRUE = frozenset({"true", "1"})
_ROOT = frozenset(("scriptLang", "displayName"))


def check_library(root: Node) -> Iterator[Diagnostic]:
    """Yield the problems of an ``.xlib`` file, without those inside its tags, which ``check_tag`` finds.

    ``root`` is the root of the file.
    """
    if root.tag != "lib":
        yield root.problem("wrong-root", f"the root of a tag library is <lib>, not <{root.tag}>")
        return
    yield from _unknown_attributes(root, _ROOT)
    yield from _unknown_children(root, _DOCUMENTATION | {"tags"})
    seen: set[str] = set()
    for tags in root.children:
        if tags.tag == "tags":
            yield from _unknown_attributes(tags, frozenset())
            if tags.text.strip():
                yield tags.problem("unexpected-text", "text in <tags>, which can contain tags only")
            for tag in tags.children:
                if tag.tag == TEXT:
                    yield tag.problem("unexpected-text", "text in <tags>, which can contain tags only")
                elif tag.tag in seen:
                    yield tag.problem("duplicate-name", f"a second tag <{tag.tag}>")
                seen.add(tag.tag)
    if root.child("tags") is None:
        yield root.problem("missing-element", "<lib> needs the element <tags>")


def check_tag(tag: Node) -> Iterator[Diagnostic]:
    """Yield the problems in the form of ``tag``, an element that declares a tag of a library."""
    yield from _unknown_attributes(tag, _TAG)
    yield from _unknown_children(tag, _PARTS)
    yield from _check_values(tag)
    yield from _check_combinations(tag)
    if tag.child("source") is None:
        yield tag.problem("missing-element", f"the tag <{tag.tag}> needs a <source>")
    taken: dict[str, str] = {}
    for child in tag.children:
        if child.tag in _ONCE and (earlier := tag.child(child.tag)) is not None and earlier is not child:
            yield child.problem("doubled", f"a second <{child.tag}> in the tag <{tag.tag}>")
        if child.tag in _ATTRIBUTES:
            yield from _check_part(child, taken)


def _check_part(node: Node, taken: dict[str, str]) -> Iterator[Diagnostic]:
    """Yield the problems of an <attr>, <slot>, <return> or <source> in the declaration of a tag.

    ``taken`` maps the names that earlier elements declare to the tags of these elements; the name of ``node`` is added.
    """
    yield from _unknown_attributes(node, _ATTRIBUTES[node.tag], xpl=node.tag == "source")
    yield from _check_values(node)
    if node.tag in _CHILDREN:
        yield from _unknown_children(node, _CHILDREN[node.tag])
    arguments = [child for child in node.children if child.tag == "arg"] if node.tag == "slot" else []
    for argument in arguments:
        yield from _unknown_attributes(argument, _ATTRIBUTES["arg"])
        yield from _check_name(argument)
    if node.tag in {"attr", "slot"}:
        yield from _check_name(node, variable=node.tag == "slot" or "varName" not in node.attributes)
        name = node.attributes.get("varName") or node.attributes.get("name", "")
        if name in taken:
            yield node.problem("duplicate-name", f"<{node.tag}> '{name}': an earlier <{taken[name]}> has the same name")
        taken[name] = node.tag
        mode = node.attributes.get("slotType", "renderer")
        if mode not in {"renderer", "node"}:
            yield node.problem("bad-value", f"slotType='{mode}'", hint="renderer or node", attribute="slotType")
        if mode == "node" and (arguments or "outputMode" in node.attributes):
            yield node.problem("no-meaning", "a slot of type node can have no arguments and no outputMode")


def _check_name(node: Node, *, variable: bool = True) -> Iterator[Diagnostic]:
    """Yield a problem if an element has no attribute ``name``.

    With ``variable`` the name must also be a valid name of a variable.
    """
    name = node.attributes.get("name")
    if not name:
        yield node.problem("missing-attribute", f"<{node.tag}> needs the attribute name")
    elif variable and not name.isidentifier():
        hint = 'add varName="…"' if node.tag == "attr" else ""
        yield node.problem("bad-value", f"'{name}' is no name of a variable", hint=hint, attribute="name")


def _check_values(node: Node) -> Iterator[Diagnostic]:
    """Yield the problems in the values of an element's attributes: booleans, names of variables and output modes."""
    for name, text in node.attributes.items():
        if name in _BOOLEANS and text not in {"true", "false", "1", "0"}:
            yield node.problem("bad-value", f"{name}='{text}'; expected true or false", attribute=name)
        elif name in _NAMES and not text.isidentifier():
            yield node.problem("bad-value", f"'{text}' is no name of a variable", attribute=name)
        elif name == "outputMode" and text not in MODES:
            hint = near_hint(text, MODES) or "one of " + ", ".join(MODES)
            yield node.problem("bad-value", f"outputMode='{text}'", hint=hint, attribute=name)
    if node.attributes.get("optional") in _TRUE and node.attributes.get("mandatory") in _TRUE:
        yield node.problem("no-meaning", "mandatory and optional exclude each other", attribute="optional")


def _check_combinations(tag: Node) -> Iterator[Diagnostic]:
    """Yield the problems of attributes and elements in the declaration of a tag that exclude each other."""
    given = tag.attributes
    macro, condition = (given.get(name) in _TRUE for name in ("macro", "conditionTag"))
    mode = given.get("outputMode")
    if macro and (mode not in {None, "node"} or condition):
        yield tag.problem(
            "no-meaning", "a macro can have neither another outputMode than node nor conditionTag", attribute="macro"
        )
    if condition and (mode not in {None, "none"} or tag.child("slot") is not None):
        message = "a conditionTag can have neither slots nor an outputMode: its value decides whether its content runs"
        yield tag.problem("no-meaning", message, attribute="conditionTag")
    returned = tag.child("return")
    if returned is not None and (macro or mode not in {None, "none"}):
        yield returned.problem("no-meaning", "<return> has no effect: the tag has an output instead of a value")
    if macro:
        for name in ("attrsVar", "unknownAttrsVar", "ignoreUnknownAttrs"):
            if name in given:
                yield tag.problem("no-meaning", f"a macro cannot have {name}", attribute=name)


def _unknown_attributes(node: Node, known: frozenset[str], *, xpl: bool = False) -> Iterator[Diagnostic]:
    """Yield a problem for each attribute that is not in ``known``; with ``xpl``, ``xpl:lib`` is allowed too."""
    for name in node.attributes:
        if name in known or (":" in name and not (name.startswith("xpl:") and not (xpl and name == "xpl:lib"))):
            continue
        hint = near_hint(name, known) or ("allowed here: " + ", ".join(sorted(known)) if known else "it has none")
        yield node.problem("unknown-attribute", f"<{node.tag}> has no attribute {name}", hint=hint, attribute=name)


def _unknown_children(node: Node, known: frozenset[str]) -> Iterator[Diagnostic]:
    """Yield a problem for each text in an element, and for each child element whose tag is not in ``known``."""
    if node.text.strip() and not node.children:
        yield node.problem("unexpected-text", f"text in <{node.tag}>")
    for child in node.children:
        if child.tag == TEXT:
            yield child.problem("unexpected-text", f"text in <{node.tag}>")
        elif child.tag not in known and ":" not in child.tag:
            hint = near_hint(child.tag, known) or ("allowed here: " + ", ".join(sorted(known)))
            yield child.problem("unknown-element", f"<{child.tag}> is not known in <{node.tag}>", hint=hint)
