"""Calls of tags of ``.xlib`` files.

    <shop:Row row="${row}" title="row ${n}"><cell><c:out value="${value}"/></cell></shop:Row>

Rules: attributes are texts with ``${…}``. A child element with the name of a slot is the body of that slot; all other
content is the body of the slot ``default``. A slot body runs with the caller's variables and the slot's arguments. A
missing mandatory attribute and an unknown attribute or slot are problems of the file. The value of a tag with the
output mode ``none`` is the value of its body; that of any other tag is its output.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from taskrun.errors import near_hint
from taskrun.syntax.node import NO_ATTRIBUTES, TEXT, Node
from taskrun.templates.analysis import TemplateFacts
from taskrun.templates.closures import NO_VALUE, Environment, TemplateNode, TemplateVariables, run_body
from taskrun.templates.element import Element
from taskrun.templates.macros import compile_macro_call
from taskrun.templates.output import TemplateOutput
from taskrun.templates.slots import SlotFunction
from taskrun.templates.tag_attributes import compile_attributes

if TYPE_CHECKING:
    from taskrun.templates.compile import Compiler
    from taskrun.templates.tag_library import SlotDeclaration, Tag, TagLibrary

SlotValue = Callable[[Environment], Any]
"""Function that returns the value of a slot's variable in the tag's body: a SlotFunction or an Element."""


def compile_tag_call(compiler: Compiler, node: Node, library: TagLibrary, tag: Tag) -> TemplateNode:
    """Compile the element ``node`` as a call of the tag ``tag`` of an ``.xlib`` file; return the template node.

    If the tag is a macro, it runs now, and the elements that it outputs are compiled instead.
    """
    if tag.flag("macro"):
        return compile_macro_call(compiler, node, library, tag)
    variables_of = compile_attributes(compiler, node, tag)
    slots: Mapping[str, SlotValue] = {}
    inside: TemplateNode | None = None
    if tag.flag("conditionTag"):
        inside = compiler.body(node)
    else:
        slots = _compile_slots(compiler, node, tag)
    body, facts = compile_tag_body(library, tag)
    compiler.facts.add_problems(facts.problems)
    compiler.facts.calls.append(facts)

    async def value_of(env: Environment, out: TemplateOutput) -> Any:
        values = dict.fromkeys(tag.slots) | variables_of(env)
        values.update((name, slot(env)) for name, slot in slots.items())
        return tag.converted(await run_body(body, env.for_call(TemplateVariables(values), out)), node)

    return _conditional(value_of, inside) if inside is not None else _value_or_output(value_of, node, tag)


def _value_or_output(value_of: Callable[[Environment, TemplateOutput], Any], node: Node, tag: Tag) -> TemplateNode:
    """Return the template node of a call of the tag ``tag``.

    It returns the value or output of the tag, or adds it to the output of the caller if the caller has one.
    ``value_of`` runs the body of the tag with a given output and returns its value.
    """

    async def run(env: Environment) -> Any:
        if tag.mode == env.out.mode and tag.mode != "none":
            return await value_of(env, env.out)
        out = TemplateOutput(tag.mode)
        value = await value_of(env, out)
        if tag.mode != "none":
            value = out.result()
        if value is NO_VALUE:
            return None if env.out.mode == "none" else NO_VALUE
        return env.emit_or_return(value, node, raw=tag.mode in {"xml", "html"})

    return run


def _conditional(value_of: Callable[[Environment, TemplateOutput], Any], inside: TemplateNode) -> TemplateNode:
    """Return the template node of a call of a tag with ``conditionTag``, which works like ``c:if``.

    It runs ``inside``, the content of the call, if the value of the tag's body is true. ``value_of`` runs the tag's
    body and returns its value.
    """

    async def run(env: Environment) -> Any:
        value = await value_of(env, TemplateOutput("none"))
        return await inside(env) if value is not NO_VALUE and value else NO_VALUE

    return run


def compile_tag_body(
    library: TagLibrary, tag: Tag, known: Mapping[str, Any] | None = None
) -> tuple[TemplateNode, TemplateFacts]:
    """Return the body of a tag as a template node, with its facts; it is compiled at the first call of the tag.

    ``known`` are further variables that the body may read. A tag that calls itself gets the template node and the facts
    before the compilation is complete.
    """
    from taskrun.templates.compile import Compiler

    if tag.name not in library.bodies:
        facts = TemplateFacts(ready=False)
        compiled: list[TemplateNode] = []

        async def run(env: Environment) -> Any:
            return await compiled[0](env)

        library.bodies[tag.name] = run, facts
        compiler = Compiler(
            settings=library.libraries.settings,
            language=library.language,
            mode=tag.mode,
            libraries=library.libraries,
            prefixes=library.prefixes(),
            facts=facts,
            slots=frozenset(tag.slots),
        )
        compiled.append(compiler.source(tag.source))
        facts.ready = True
        _check_reads(tag, facts, compiler.language, known or {})
    return library.bodies[tag.name]


def _check_reads(tag: Tag, facts: TemplateFacts, language: str, known: Mapping[str, Any]) -> None:
    """Report the variables that a tag's body reads although nothing sets them.

    ``known`` are further variables that it may read. In XScript such variables are null, so they are not reported.
    """
    own = {*known, *tag.slots, *facts.bound, *facts.stores, tag.all_variable, tag.rest_variable}
    own |= {item.variable for item in tag.attributes.values()}
    for name in sorted(facts.reads - own) if language == "python" else ():
        hint = near_hint(name, own) or "a tag can read its own attributes and slots only"
        message = f"the tag <{tag.name}> reads '{name}', which it does not have"
        reader = next((script for script in facts.scripts if name in script.reads), None)
        if reader is None:
            facts.add_problems([tag.source.problem("unknown-variable", message, hint=hint)])
            continue
        start = re.search(rf"(?<![\w.'\"]){re.escape(name)}\b", reader.text)
        place = reader.node.character_at(start.start() if start else 0, reader.attribute)
        facts.add_problems([reader.node.problem("unknown-variable", message, hint=hint, at=place)])


def _compile_slots(compiler: Compiler, node: Node, tag: Tag) -> dict[str, SlotValue]:
    """Compile the content of a call; return for each filled slot a function that creates its value in an environment.

    Content that belongs to no slot, and missing mandatory slots, are reported.
    """
    filled: dict[str, SlotValue] = {}
    rest: list[Node] = []
    for child in node.children:
        slot = tag.slots.get(child.tag)
        if slot is None:
            rest.append(child)
        elif child.tag in filled:
            compiler.report(child, "doubled", f"a second <{child.tag}> in <{node.tag}>")
        else:
            filled[child.tag] = _compile_slot(compiler, child, slot)
    if rest or node.text.strip():
        wrong = next((child for child in rest if child.tag != TEXT), rest[0] if rest else node)
        if "default" not in tag.slots:
            report_unknown_slot(compiler, wrong, node, tag)
        elif "default" in filled:
            message = f"<{node.tag}> has <default> and other content, which is for the same slot"
            compiler.report(wrong, "doubled", message)
        else:
            filled["default"] = _compile_slot(compiler, node._replace(children=tuple(rest)), tag.slots["default"])
    elif "xpl:slotScope" in node.attributes:
        message = "xpl:slotScope has no effect: nothing fills the slot"
        compiler.report(node, "no-meaning", message, attribute="xpl:slotScope")
    for slot in tag.slots.values():
        if slot.mandatory and slot.name not in filled:
            compiler.report(node, "missing-slot", f"the tag <{node.tag}> needs its slot <{slot.name}>")
    return filled


def report_unknown_slot(compiler: Compiler, wrong: Node, node: Node, tag: Tag) -> None:
    """Report that ``wrong``, a part of the content of the call ``node``, belongs to no slot of the tag."""
    name = "text" if wrong.tag == TEXT or wrong is node else f"<{wrong.tag}>"
    slots = ", ".join(f"<{slot}>" for slot in tag.slots) or "no slots"
    hint = near_hint(wrong.tag, tag.slots) or f"it has {slots}"
    compiler.report(wrong, "unknown-slot", f"{name} fills no slot of the tag <{node.tag}>", hint=hint)


def _compile_slot(compiler: Compiler, node: Node, slot: SlotDeclaration) -> SlotValue:
    """Compile content as a slot body; return a function that creates the slot's value in an environment.

    The value is a SlotFunction, or the element itself for a slot with ``slotType="node"``.
    """
    if slot.is_node:
        element = Element(node)
        return lambda _env: element
    names = slot_argument_names(compiler, node, slot.arguments)
    body = compiler.slot(without_own_attributes(compiler, node, slot.name), slot.mode, names)
    return lambda env: SlotFunction(slot.name, body, env)


def slot_argument_names(compiler: Compiler, node: Node, declared: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names by which the content of a slot reads the slot's arguments.

    These are the names in ``xpl:slotScope`` if the element ``node`` has it, else the names that the tag declared.
    """
    given = node.attributes.get("xpl:slotScope")
    if given is None:
        return declared
    names = tuple(name.strip() for name in given.split(","))
    wrong = next((name for name in names if not name.isidentifier()), None)
    if wrong is not None:
        compiler.report(node, "bad-value", f"'{wrong}' is no name of a variable", attribute="xpl:slotScope")
    elif declared and len(names) > len(declared):
        message = f"the slot has {len(declared)} arguments: {', '.join(declared)}"
        compiler.report(node, "bad-value", message, attribute="xpl:slotScope")
    return names


def without_own_attributes(compiler: Compiler, node: Node, slot: str) -> Node:
    """Return the element ``node``, which passes a slot body, with no attributes but its declarations of prefixes.

    Attributes that have no effect on a slot are reported. If the element is the whole call (for the slot ``default``),
    its attributes belong to the tag and are not reported.
    """
    declarations = ("xmlns:", "xpl:lib")
    if node.tag == slot:
        for name in node.attributes:
            if not name.startswith((*declarations, "xpl:slotScope")):
                hint = "a slot can have xpl:slotScope and xpl:lib"
                compiler.report(node, "no-meaning", f"{name} has no effect on a slot", hint=hint, attribute=name)
    declared = {name: text for name, text in node.attributes.items() if name.startswith(declarations)}
    return node._replace(attributes=declared or NO_ATTRIBUTES)
