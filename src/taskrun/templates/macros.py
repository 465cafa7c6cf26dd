"""A call of a tag with ``macro="true"``: it runs when the flow is compiled, and what it makes stands in its place.

    <Twice macro="true"><slot name="default"/><source>${default.children}${default.children}</source></Twice>

Rules: a macro puts elements out. Its attributes are texts as they are written, its slots elements. What it makes is compiled as if
the caller had written it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from taskrun.errors import BindError, near_hint
from taskrun.syntax.node import NO_ATTRIBUTES, TEXT, Node
from taskrun.templates.closures import Piece, nothing
from taskrun.templates.element import Element

if TYPE_CHECKING:
    from taskrun.templates.compile import Compiler
    from taskrun.templates.tag_library import Tag, TagLibrary


def macro_call(compiler: Compiler, node: Node, library: TagLibrary, tag: Tag) -> Piece:
    """Return the piece for what a macro makes."""
    from taskrun.templates.api import run_macro
    from taskrun.templates.compile import MAX_DEPTH
    from taskrun.templates.tag_call import body_of_tag

    if compiler.depth >= MAX_DEPTH:
        compiler.note(node, "cycle", f"<{node.tag}>: macros make calls of macros more than {MAX_DEPTH} deep")
        return nothing
    before = len(compiler.found.problems)
    values = {**_attributes(compiler, node, tag), **_slots(compiler, node, tag)}
    body, found = body_of_tag(library, tag)
    if not found.ready:
        compiler.note(node, "cycle", f"<{node.tag}>: a macro calls itself while it is compiled")
    compiler.found.note(found.problems)
    if len(compiler.found.problems) > before:
        return nothing
    try:
        made = run_macro(body, tag, values, compiler)
    except BindError as error:
        compiler.found.note(error.diagnostics)
        return nothing
    inner = replace(compiler, depth=compiler.depth + 1)
    return inner.body(node._replace(attributes=NO_ATTRIBUTES, children=tuple(made), text=""))


def _attributes(compiler: Compiler, node: Node, tag: Tag) -> dict[str, Any]:
    for name in node.attributes:
        if name not in tag.attributes and not name.startswith("xmlns:"):
            hint = near_hint(name, tag.attributes) or "it has " + (", ".join(tag.attributes) or "none")
            message = f"the macro <{node.tag}> has no attribute {name}"
            compiler.note(node, "unknown-attribute", message, hint=hint, attribute=name)
    for item in tag.attributes.values():
        if item.mandatory and item.name not in node.attributes:
            compiler.note(node, "missing-attribute", f"the macro <{node.tag}> needs the attribute {item.name}")
    return {item.variable: node.attributes.get(item.name, item.default) for item in tag.attributes.values()}


def _slots(compiler: Compiler, node: Node, tag: Tag) -> dict[str, Any]:
    """Return the elements that fill the slots; what fills none is noted."""
    from taskrun.templates.tag_call import no_slot

    filled: dict[str, Any] = dict.fromkeys(tag.slots)
    rest = []
    for child in node.children:
        if child.tag == "default" or child.tag not in tag.slots:
            rest.append(child)
        else:
            filled[child.tag] = Element(child)
    if rest or node.text.strip():
        if "default" in tag.slots:
            filled["default"] = Element(node._replace(attributes=NO_ATTRIBUTES, children=tuple(rest)))
        else:
            wrong = next((child for child in rest if child.tag != TEXT), rest[0] if rest else node)
            no_slot(compiler, wrong, node, tag)
    for slot in tag.slots.values():
        if slot.mandatory and filled[slot.name] is None:
            compiler.note(node, "missing-slot", f"the macro <{node.tag}> needs its slot <{slot.name}>")
    return filled
