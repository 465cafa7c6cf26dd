"""A call of a tag of an ``.xlib`` file.

    <shop:Row row="${row}" title="row ${n}"><cell><c:out value="${value}"/></cell></shop:Row>

Rules: attributes are texts with ``${…}``, converted to the declared type. Child elements that are named like a slot fill it;
everything else fills the slot ``default``. A slot's body runs with the caller's variables, over them the slot's
arguments. A missing mandatory attribute and an unknown attribute or slot are errors of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from taskrun.errors import BindError, near_hint
from taskrun.script.xpl.element import Element
from taskrun.script.xpl.output import Output
from taskrun.script.xpl.piece import NOTHING, Environment, Piece, Return, Variables
from taskrun.script.xpl.slots import Filling
from taskrun.syntax.node import NO_ATTRIBUTES, TEXT, Node

if TYPE_CHECKING:
    from taskrun.script.xpl.compile import Compiler
    from taskrun.script.xpl.tag_library import Attribute, Slot, Tag, TagLibrary

Reader = Callable[[Environment], Any]
_MISSING = object()


def tag_call(compiler: Compiler, node: Node, library: TagLibrary, tag: Tag) -> Piece:
    """Return the piece for a call of a tag."""
    if tag.flag("macro"):
        return _macro(compiler, node, library, tag)
    readers = _readers(compiler, node, tag)
    fillings = _fillings(compiler, node, tag)
    body = body_of_tag(library, tag, compiler)
    extra = _extra(compiler, node)

    async def run(env: Environment) -> Any:
        values = {name: read(env) for name, read in readers.items()}
        if extra is not None:
            values = {**_converted(extra(env), tag, compiler), **{k: v for k, v in values.items() if v is not None}}
        for item in tag.attributes.values():
            if item.mandatory and values.get(item.variable) is None:
                raise ValueError(f"<{node.tag}> at {node.at}: the attribute {item.name} is mandatory and empty")
        for name, filling in fillings.items():
            values[name] = filling(env)
        for name in tag.slots:
            values.setdefault(name, None)
        out = env.out if tag.mode == env.out.mode and tag.mode != "none" else Output(tag.mode)
        inner = env.inside(Variables(values), out)
        try:
            value = await body(inner)
        except Return as left:
            value = left.value
        if tag.mode == "none":
            value = None if value is NOTHING else value
            if env.out.mode != "none" and value is not None:
                env.out.value(value, node)
            return value
        if out is env.out:
            return NOTHING
        made = out.result()
        if env.out.mode != "none":
            env.out.value(made, node, raw=tag.mode in {"xml", "html"})
            return NOTHING
        return made

    return run


def body_of_tag(library: TagLibrary, tag: Tag, compiler: Compiler, known: Iterable[str] = ()) -> Piece:
    """Return the piece for a tag's source, compiled when the tag is first called; ``known`` are further variables."""
    from taskrun.script.xpl.compile import Compiler as New
    from taskrun.script.xpl.compile import Found

    body = library.bodies.get(tag.name)
    if body is None:
        found = Found()
        body = library.bodies[tag.name] = [None, found]  # calls of itself find this
        inner = New(
            settings=library.libraries.settings,
            language=library.language,
            mode=tag.mode,
            libraries=library.libraries,
            prefixes=library.prefixes(),
            found=found,
            slots=frozenset(tag.slots),
        )
        body[0] = inner.source(tag.source)
        own = (
            {*known} | {item.variable for item in tag.attributes.values()} | set(tag.slots) | found.bound | found.stores
        )
        for name in ("attrsVar", "unknownAttrsVar"):
            own.add(tag.node.attributes.get(name, ""))
        if inner.language == "python":
            for name in sorted(found.reads - own):
                hint = near_hint(name, own) or "a tag sees its own attributes and slots"
                inner.note(
                    tag.source,
                    "unknown-variable",
                    f"the tag <{tag.name}> reads '{name}', which it does not have",
                    hint=hint,
                )
    found = body[1]
    if found.problems:
        compiler.found.problems.extend(item for item in found.problems if item not in compiler.found.problems)
    compiler.found.sets_any = compiler.found.sets_any or found.sets_any
    compiler.found.suspends = compiler.found.suspends or found.suspends or body[0] is None

    async def run(env: Environment) -> Any:
        return await body[0](env)

    return run


def _readers(compiler: Compiler, node: Node, tag: Tag) -> dict[str, Reader]:
    """Return what gives each variable of the tag its value."""
    readers: dict[str, Reader] = {}
    unknown: dict[str, Reader] = {}
    loose = tag.flag("ignoreUnknownAttrs") or "unknownAttrsVar" in tag.node.attributes
    for name in node.attributes:
        if name.startswith(("xpl:", "xmlns:")):
            continue
        item = tag.attributes.get(name)
        if item is None and not loose:
            hint = near_hint(name, tag.attributes) or "it has " + (", ".join(tag.attributes) or "none")
            compiler.note(
                node, "unknown-attribute", f"the tag <{node.tag}> has no attribute {name}", hint=hint, attribute=name
            )
            continue
        template = compiler.template(node, name)
        if template is None:
            continue
        if item is None:
            unknown[name] = _running(template)
        else:
            readers[item.variable] = _reader(compiler, node, item, template)
    for item in tag.attributes.values():
        if item.variable not in readers:
            readers[item.variable] = _default(compiler, node, item)
    names = dict(readers)
    if all_of := tag.node.attributes.get("attrsVar"):
        readers[all_of] = lambda env: {name: read(env) for name, read in {**names, **unknown}.items()}
    if rest := tag.node.attributes.get("unknownAttrsVar"):
        readers[rest] = lambda env: {name: read(env) for name, read in unknown.items()}
    return readers


def _running(template: Any) -> Reader:
    return lambda env: template.run(env.scope)


def _convert(compiler: Compiler, item: Attribute) -> Callable[[Any], Any] | None:
    if item.type is None:
        return None
    convert = compiler.libraries.converter(item.type)
    if convert is None:
        problem = item.node.problem("bad-value", f"no type is called '{item.type}'", attribute="type")
        if problem not in compiler.found.problems:
            compiler.found.problems.append(problem)
    return convert


def _reader(compiler: Compiler, node: Node, item: Attribute, template: Any) -> Reader:
    convert = _convert(compiler, item)
    if convert is None:
        return lambda env: template.run(env.scope)

    def read(env: Environment) -> Any:
        value = template.run(env.scope)
        try:
            return None if value is None else convert(value)
        except ValueError as error:
            text = f"<{node.tag}> at {node.attribute_at(item.name)}: {item.name}={value!r} is no {item.type}"
            raise ValueError(f"{text}: {error}" if str(error) else text) from None

    if template.constant:
        try:
            read(_NOWHERE)
        except ValueError as error:
            compiler.note(node, "bad-value", str(error), attribute=item.name)
    return read


class _Nowhere:
    scope: Any = None


_NOWHERE: Any = _Nowhere()


def _default(compiler: Compiler, node: Node, item: Attribute) -> Reader:
    """Return what gives an attribute that the call does not name."""
    convert = _convert(compiler, item)
    if item.default is not None:
        try:
            value = convert(item.default) if convert else item.default
        except ValueError:
            problem = item.node.problem("bad-value", f"the default is no {item.type}", attribute="defaultValue")
            compiler.found.problems.append(problem)
            value = None
        if not item.implicit:
            return lambda _env: value
    else:
        value = None
    if item.implicit:
        name = item.name
        compiler.found.uses.add(name)
        return lambda env: env.scope.find(name, value)
    if item.mandatory and "xpl:attrs" not in node.attributes:
        compiler.note(node, "missing-attribute", f"the tag <{node.tag}> needs the attribute {item.name}")
    return lambda _env: None


def _extra(compiler: Compiler, node: Node) -> Callable[[Environment], Mapping[str, Any]] | None:
    """Return what gives the attributes of ``xpl:attrs``."""
    if "xpl:attrs" not in node.attributes:
        return None
    found = compiler.expression(node, "xpl:attrs")
    return (lambda env: found.run(env.scope) or {}) if found is not None else None


def _converted(values: Mapping[str, Any], tag: Tag, compiler: Compiler) -> dict[str, Any]:
    made = {}
    for name, value in values.items():
        item = tag.attributes.get(name)
        if item is None:
            hint = near_hint(str(name), tag.attributes)
            raise TypeError(
                f"xpl:attrs: the tag <{tag.name}> has no attribute '{name}'" + (f"; {hint}" if hint else "")
            )
        convert = _convert(compiler, item)
        made[item.variable] = convert(value) if convert and value is not None else value
    return made


def _fillings(compiler: Compiler, node: Node, tag: Tag) -> dict[str, Callable[[Environment], Any]]:
    """Return what gives each filled slot its value."""
    filled: dict[str, Callable[[Environment], Any]] = {}
    rest: list[Node] = []
    for child in node.children:
        slot = tag.slots.get(child.tag)
        if slot is None:
            rest.append(child)
        elif child.tag in filled:
            compiler.note(child, "doubled", f"a second <{child.tag}> in <{node.tag}>")
        else:
            filled[child.tag] = _filling(compiler, child, slot)
    body = node._replace(children=tuple(rest), text=node.text)
    has_body = bool(rest) or bool(node.text.strip())
    if has_body and "default" in tag.slots:
        filled["default"] = _filling(compiler, body, tag.slots["default"])
    elif has_body:
        wrong = next((child for child in rest if child.tag != TEXT), rest[0] if rest else node)
        name = "text" if wrong.tag == TEXT or wrong is node else f"<{wrong.tag}>"
        hint = near_hint(wrong.tag, tag.slots) or "it has " + (
            ", ".join(f"<{slot}>" for slot in tag.slots) or "no slots"
        )
        compiler.note(wrong, "unknown-slot", f"{name} fills no slot of the tag <{node.tag}>", hint=hint)
    for slot in tag.slots.values():
        if slot.mandatory and slot.name not in filled:
            compiler.note(node, "missing-slot", f"the tag <{node.tag}> needs its slot <{slot.name}>")
    return filled


def _filling(compiler: Compiler, node: Node, slot: Slot) -> Callable[[Environment], Any]:
    if slot.is_node:
        element = Element(node)
        return lambda _env: element
    scope_names = node.attributes.get("xpl:slotScope")
    names = slot.arguments
    if scope_names:
        names = tuple(name.strip() for name in scope_names.split(","))
    piece, suspends = compiler.slot(node._replace(attributes=_kept(node)), slot.mode, names)
    return lambda env: Filling(slot.name, names, piece, env, slot.mode, suspends=suspends)


def _kept(node: Node) -> Mapping[str, str]:
    kept = {name: text for name, text in node.attributes.items() if name.startswith(("xmlns:", "xpl:lib"))}
    return kept or NO_ATTRIBUTES


def _macro(compiler: Compiler, node: Node, library: TagLibrary, tag: Tag) -> Piece:
    """Return the piece for what a macro makes: it runs now, with its attributes as texts and its body as elements."""
    from taskrun.script.xpl.door import run_macro

    values: dict[str, Any] = {item.variable: item.default for item in tag.attributes.values()}
    for name, text in node.attributes.items():
        if name in tag.attributes:
            values[tag.attributes[name].variable] = text
        elif not name.startswith(("xpl:", "xmlns:")):
            hint = near_hint(name, tag.attributes)
            compiler.note(
                node, "unknown-attribute", f"the tag <{node.tag}> has no attribute {name}", hint=hint, attribute=name
            )
    for name in tag.slots:
        child = node.child(name) if name != "default" else node
        values[name] = None if child is None else Element(child)
    try:
        made = run_macro(body_of_tag(library, tag, compiler), tag, values, compiler)
    except BindError as error:
        compiler.found.problems.extend(error.diagnostics)
        made = ()
    return compiler.body(node._replace(attributes=NO_ATTRIBUTES, children=tuple(made), text=""))
