"""The tags of the core for variables and scripts.

    <c:var name="total" value="${0}"/>      <c:var name="text" xpl:outputMode="text">…</c:var>
    <c:assign total="${total + 1}"/>        <c:assign obj="${order}" status="paid"/>
    <c:script>return total * 2</c:script>   <c:script lang="xscript" args="a,b">…</c:script>
    <c:import from="/shop/tags.xlib" as="shop"/>
    <c:include src="parts/header.xml"/>

Rules: ``return`` in a script ends the template (or the tag, or the slot) with that value, as it would end a step; without it the
value of its last expression is the tag's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from taskrun.errors import FlowError
from taskrun.script.xpl.piece import NOTHING, Environment, Piece, Return
from taskrun.syntax.node import TEXT, Node

if TYPE_CHECKING:
    from taskrun.script.xpl.compile import Compiler


def _script(compiler: Compiler, node: Node) -> Piece:
    from taskrun.script.xpl.compile import nothing

    compiler.only(node, "lang", "args", "returnType")
    language = node.attributes.get("lang", compiler.language)
    if node.children:
        inner = next(child for child in node.children if child.tag != TEXT)
        compiler.note(inner, "unknown-tag", f"<{inner.tag}> in <c:script>, which holds text only", hint="put it beside")
        return nothing
    wanted = [name.strip() for name in node.attributes.get("args", "").split(",") if name.strip()]
    script = replace(compiler, language=language).script(node, leaves=True)
    convert = _converter(compiler, node)
    if script is None:
        return nothing
    compiler.found.reads.update(wanted)
    result: Any = script

    async def run(env: Environment) -> Any:
        value = result.run(env.scope)
        if result.suspends:
            value = await value
        if result.leaves and value is not ...:
            raise Return(convert(value))
        if value is ...:
            return NOTHING
        value = convert(value)
        if env.out.mode != "none" and value is not None:
            env.out.value(value, node)
        return value

    return run


def _converter(compiler: Compiler, node: Node) -> Callable[[Any], Any]:
    name = node.attributes.get("returnType")
    if name is None:
        return _as_it_is
    convert = compiler.libraries.converter(name)
    if convert is None:
        compiler.note(node, "bad-value", f"no type is called '{name}'", attribute="returnType")
        return _as_it_is
    return convert


def _as_it_is(value: Any) -> Any:
    return value


def _var(compiler: Compiler, node: Node) -> Piece:
    compiler.only(node, "name", "type", "value")
    name = node.attributes.get("name", "")
    if not name.isidentifier():
        compiler.note(node, "bad-value", "<c:var> needs the name of a variable", attribute="name" if name else None)
    compiler.bind(name)
    value = compiler.template(node, "value") if "value" in node.attributes else None
    if value is not None and (node.children or node.text.strip()):
        compiler.note(node, "doubled", "both a value and a body: one gives the value", attribute="value")
    inside = compiler.body(node) if value is None else None
    kind = node.attributes.get("type")
    convert = compiler.libraries.converter(kind) if kind else _as_it_is
    if convert is None:
        compiler.note(node, "bad-value", f"no type is called '{kind}'", attribute="type")

    async def run(env: Environment) -> Any:
        given = value.run(env.scope) if value is not None else await inside(env) if inside is not None else None
        assert convert is not None  # noqa: S101 - noted
        env.scope[name] = convert(None if given is NOTHING else given)
        return NOTHING

    return run


def _assign(compiler: Compiler, node: Node) -> Piece:
    target = compiler.template(node, "obj") if "obj" in node.attributes else None
    names = [name for name in node.attributes if name != "obj" and not name.startswith(("xpl:", "xmlns:"))]
    values = {name: compiler.template(node, name) for name in names}
    if not values:
        compiler.note(node, "missing-attribute", "<c:assign> assigns nothing", hint='<c:assign total="${…}"/>')
    if target is None:
        for name in names:
            compiler.bind(name)

    async def run(env: Environment) -> Any:
        given = {name: value.run(env.scope) for name, value in values.items() if value is not None}
        if target is None:
            for name, value in given.items():
                env.scope[name] = value
            return NOTHING
        owner = target.run(env.scope)
        if not isinstance(owner, dict):
            raise TypeError(f"<c:assign obj=…> sets keys of a map, not of {type(owner).__name__}")
        owner.update(given)
        return NOTHING

    return run


def _import(compiler: Compiler, node: Node) -> Piece:
    from taskrun.script.xpl.compile import nothing

    compiler.note(node, "no-meaning", "<c:import> stands at the beginning of a body", hint="move it there")
    return nothing


def _include(compiler: Compiler, node: Node) -> Piece:
    from taskrun.script.xpl.compile import nothing

    compiler.only(node, "src")
    if "src" not in node.attributes:
        compiler.note(node, "missing-attribute", "<c:include> needs the attribute src")
        return nothing
    try:
        root = compiler.libraries.included(node, "src")
    except FlowError as error:
        compiler.found.problems.extend(error.diagnostics)
        return nothing
    return compiler.body(root)


DATA: Mapping[str, Callable[[Compiler, Node], Piece]] = MappingProxyType(
    {"script": _script, "var": _var, "assign": _assign, "import": _import, "include": _include}
)
"""The tags of this module."""
