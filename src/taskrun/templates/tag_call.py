"""A call of a tag of an ``.xlib`` file.

    <shop:Row row="${row}" title="row ${n}"><cell><c:out value="${value}"/></cell></shop:Row>

Rules: attributes are texts with ``${…}``. Child elements that are named like a slot fill it; everything else fills the slot
``default``. A slot's body runs with the caller's variables, over them the slot's arguments. A missing mandatory attribute
and an unknown attribute or slot are errors of the file. A tag of mode ``none`` gives its value, any other what it puts
out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from taskrun.errors import near_hint
from taskrun.syntax.node import NO_ATTRIBUTES, TEXT, Node
from taskrun.templates.analysis import Found
from taskrun.templates.closures import NOTHING, Environment, Piece, Variables, finished
from taskrun.templates.element import Element
from taskrun.templates.macros import macro_call
from taskrun.templates.output import Output
from taskrun.templates.slots import Filling
from taskrun.templates.tag_attributes import attributes_of

if TYPE_CHECKING:
    from taskrun.templates.compile import Compiler
    from taskrun.templates.tag_library import Slot, Tag, TagLibrary

Fill = Callable[[Environment], Any]


def tag_call(compiler: Compiler, node: Node, library: TagLibrary, tag: Tag) -> Piece:
    """Return the piece for a call of a tag."""
    if tag.flag("macro"):
        return macro_call(compiler, node, library, tag)
    values_of = attributes_of(compiler, node, tag)
    fillings: Mapping[str, Fill] = {}
    inside: Piece | None = None
    if tag.flag("conditionTag"):
        inside = compiler.body(node)
    else:
        fillings = _fillings(compiler, node, tag)
    body, found = body_of_tag(library, tag)
    compiler.found.note(found.problems)
    compiler.found.calls.append(found)

    async def value_of(env: Environment, out: Output) -> Any:
        values = dict.fromkeys(tag.slots) | values_of(env)
        values.update((name, filling(env)) for name, filling in fillings.items())
        return tag.converted(await finished(body, env.inside(Variables(values), out)), node)

    return _condition(value_of, inside) if inside is not None else _running(value_of, node, tag)


def _running(value_of: Callable[[Environment, Output], Any], node: Node, tag: Tag) -> Piece:
    """Return the piece that gives a tag's value, or puts out what it puts out."""

    async def run(env: Environment) -> Any:
        if tag.mode == env.out.mode and tag.mode != "none":
            return await value_of(env, env.out)
        out = Output(tag.mode)
        value = await value_of(env, out)
        if tag.mode != "none":
            value = out.result()
        if value is NOTHING:
            return None if env.out.mode == "none" else NOTHING
        return env.give(value, node, raw=tag.mode in {"xml", "html"})

    return run


def _condition(value_of: Callable[[Environment, Output], Any], inside: Piece) -> Piece:
    """Return the piece of a ``conditionTag``, whose value tells whether what it holds runs."""

    async def run(env: Environment) -> Any:
        value = await value_of(env, Output("none"))
        return await inside(env) if value is not NOTHING and value else NOTHING

    return run


def body_of_tag(library: TagLibrary, tag: Tag, known: Mapping[str, Any] | None = None) -> tuple[Piece, Found]:
    """Return the piece for a tag's source, and what was found in it; ``known`` are further variables.

    It is compiled when the tag is first called; a call from inside it gets the same piece.
    """
    from taskrun.templates.compile import Compiler

    if tag.name not in library.bodies:
        found = Found(ready=False)
        ready: list[Piece] = []

        async def run(env: Environment) -> Any:
            return await ready[0](env)

        library.bodies[tag.name] = run, found
        compiler = Compiler(
            settings=library.libraries.settings,
            language=library.language,
            mode=tag.mode,
            libraries=library.libraries,
            prefixes=library.prefixes(),
            found=found,
            slots=frozenset(tag.slots),
        )
        ready.append(compiler.source(tag.source))
        found.ready = True
        _check_reads(tag, found, compiler.language, known or {})
    return library.bodies[tag.name]


def _check_reads(tag: Tag, found: Found, language: str, known: Mapping[str, Any]) -> None:
    """Note the variables that a tag's body reads and cannot have; in XScript these are null."""
    own = {*known, *tag.slots, *found.bound, *found.stores, tag.all_variable, tag.rest_variable}
    own |= {item.variable for item in tag.attributes.values()}
    for name in sorted(found.reads - own) if language == "python" else ():
        hint = near_hint(name, own) or "a tag sees its own attributes and slots"
        message = f"the tag <{tag.name}> reads '{name}', which it does not have"
        reader = next((script for script in found.scripts if name in script.reads), None)
        if reader is None:
            found.note([tag.source.problem("unknown-variable", message, hint=hint)])
            continue
        start = re.search(rf"(?<![\w.'\"]){re.escape(name)}\b", reader.text)
        place = reader.node.character_at(start.start() if start else 0, reader.attribute)
        found.note([reader.node.problem("unknown-variable", message, hint=hint, at=place)])


def _fillings(compiler: Compiler, node: Node, tag: Tag) -> dict[str, Fill]:
    """Return what gives each filled slot its value."""
    filled: dict[str, Fill] = {}
    rest: list[Node] = []
    for child in node.children:
        slot = tag.slots.get(child.tag)
        if slot is None:
            rest.append(child)
        elif child.tag in filled:
            compiler.note(child, "doubled", f"a second <{child.tag}> in <{node.tag}>")
        else:
            filled[child.tag] = _filling(compiler, child, slot)
    if rest or node.text.strip():
        wrong = next((child for child in rest if child.tag != TEXT), rest[0] if rest else node)
        if "default" not in tag.slots:
            no_slot(compiler, wrong, node, tag)
        elif "default" in filled:
            compiler.note(wrong, "doubled", f"<default> in <{node.tag}>, and other content, which is the same slot")
        else:
            filled["default"] = _filling(compiler, node._replace(children=tuple(rest)), tag.slots["default"])
    elif "xpl:slotScope" in node.attributes:
        message = "xpl:slotScope, and nothing fills the slot"
        compiler.note(node, "no-meaning", message, attribute="xpl:slotScope")
    for slot in tag.slots.values():
        if slot.mandatory and slot.name not in filled:
            compiler.note(node, "missing-slot", f"the tag <{node.tag}> needs its slot <{slot.name}>")
    return filled


def no_slot(compiler: Compiler, wrong: Node, node: Node, tag: Tag) -> None:
    """Note content of a call that no slot takes."""
    name = "text" if wrong.tag == TEXT or wrong is node else f"<{wrong.tag}>"
    slots = ", ".join(f"<{slot}>" for slot in tag.slots) or "no slots"
    hint = near_hint(wrong.tag, tag.slots) or f"it has {slots}"
    compiler.note(wrong, "unknown-slot", f"{name} fills no slot of the tag <{node.tag}>", hint=hint)


def _filling(compiler: Compiler, node: Node, slot: Slot) -> Fill:
    if slot.is_node:
        element = Element(node)
        return lambda _env: element
    names = scope_names(compiler, node, slot.arguments)
    content = compiler.slot(bare(compiler, node, slot.name), slot.mode, names)
    return lambda env: Filling(slot.name, content, env)


def scope_names(compiler: Compiler, node: Node, declared: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of a slot's arguments: those of ``xpl:slotScope``, else the declared ones."""
    given = node.attributes.get("xpl:slotScope")
    if given is None:
        return declared
    names = tuple(name.strip() for name in given.split(","))
    wrong = next((name for name in names if not name.isidentifier()), None)
    if wrong is not None:
        compiler.note(node, "bad-value", f"'{wrong}' is no name of a variable", attribute="xpl:slotScope")
    elif declared and len(names) > len(declared):
        message = f"the slot has {len(declared)} arguments: {', '.join(declared)}"
        compiler.note(node, "bad-value", message, attribute="xpl:slotScope")
    return names


def bare(compiler: Compiler, node: Node, slot: str) -> Node:
    """Return what fills a slot without the attributes of the element that it stands in, of which few mean something."""
    heard = ("xmlns:", "xpl:lib")
    if node.tag == slot:
        for name in node.attributes:
            if not name.startswith((*heard, "xpl:slotScope")):
                hint = "xpl:slotScope and xpl:lib stand here"
                compiler.note(node, "no-meaning", f"{name} on a slot means nothing", hint=hint, attribute=name)
    kept = {name: text for name, text in node.attributes.items() if name.startswith(heard)}
    return node._replace(attributes=kept or NO_ATTRIBUTES)
