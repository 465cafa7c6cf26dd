"""Calls of tags with ``macro="true"``, which run at compile time: the elements that they output replace the call.

    <Twice macro="true"><slot name="default"/><source>${default.children}${default.children}</source></Twice>

Rules: in the body of a macro an attribute of the call is the text as it is written, ``${…}`` included, and a slot is an
element. The output of a macro is compiled as if the caller had written it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from taskrun.errors import BindError, near_hint
from taskrun.syntax.node import NO_ATTRIBUTES, TEXT, Node
from taskrun.templates.closures import TemplateNode, no_op
from taskrun.templates.element import Element

if TYPE_CHECKING:
    from taskrun.templates.compile import Compiler
    from taskrun.templates.tag_library import Tag, TagLibrary


def compile_macro_call(compiler: Compiler, node: Node, library: TagLibrary, tag: Tag) -> TemplateNode:
    """Run the macro that ``node`` calls and compile the elements that it outputs; the result replaces the call."""
    from taskrun.templates.api import expand_macro
    from taskrun.templates.compile import MAX_DEPTH
    from taskrun.templates.tag_call import compile_tag_body

    if compiler.depth >= MAX_DEPTH:
        message = f"<{node.tag}>: calls of macros in the output of macros are nested more than {MAX_DEPTH} deep"
        compiler.report(node, "cycle", message)
        return no_op
    before = len(compiler.facts.problems)
    values = {**_attributes(compiler, node, tag), **_slots(compiler, node, tag)}
    body, facts = compile_tag_body(library, tag)
    if not facts.ready:
        compiler.report(node, "cycle", f"<{node.tag}>: a macro calls itself while it is compiled")
    compiler.facts.add_problems(facts.problems)
    if len(compiler.facts.problems) > before:
        return no_op
    try:
        made = expand_macro(body, tag, values, compiler)
    except BindError as error:
        compiler.facts.add_problems(error.diagnostics)
        return no_op
    inner = replace(compiler, depth=compiler.depth + 1)
    return inner.body(node._replace(attributes=NO_ATTRIBUTES, children=tuple(made), text=""))


def _attributes(compiler: Compiler, node: Node, tag: Tag) -> dict[str, Any]:
    """Return the variables of a macro's body that come from the attributes of a call, or from their default values.

    Unknown and missing attributes are reported.
    """
    for name in node.attributes:
        if name not in tag.attributes and not name.startswith("xmlns:"):
            hint = near_hint(name, tag.attributes) or "it has " + (", ".join(tag.attributes) or "none")
            message = f"the macro <{node.tag}> has no attribute {name}"
            compiler.report(node, "unknown-attribute", message, hint=hint, attribute=name)
    for item in tag.attributes.values():
        if item.mandatory and item.name not in node.attributes:
            compiler.report(node, "missing-attribute", f"the macro <{node.tag}> needs the attribute {item.name}")
    return {item.variable: node.attributes.get(item.name, item.default) for item in tag.attributes.values()}


def _slots(compiler: Compiler, node: Node, tag: Tag) -> dict[str, Any]:
    """Return by slot the element with the content that a call passes for it, or None if it passes none.

    Content that belongs to no slot, and missing mandatory slots, are reported.
    """
    from taskrun.templates.tag_call import report_unknown_slot

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
            report_unknown_slot(compiler, wrong, node, tag)
    for slot in tag.slots.values():
        if slot.mandatory and filled[slot.name] is None:
            compiler.report(node, "missing-slot", f"the macro <{node.tag}> needs its slot <{slot.name}>")
    return filled
