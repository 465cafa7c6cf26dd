"""The tags of the core for variables and scripts.

    <c:var name="total" value="${0}"/>      <c:var name="text" xpl:outputMode="text">…</c:var>
    <c:assign total="${total + 1}"/>        <c:assign obj="${order}" status="paid"/>
    <c:script>return total * 2</c:script>   <c:script lang="xscript" args="a,b">…</c:script>
    <c:import from="/shop/tags.xlib" as="shop"/>
    <c:include src="parts/header.xml"/>           the root of that file stands here; <c:unit> for several tags

Rules: ``return`` in a script ends the template (or the tag, or the slot) with that value, as it would end a step; without it the
value of its last expression is the tag's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from taskrun.errors import FlowError, near_hint
from taskrun.script.compiled_script import DIALECTS
from taskrun.syntax.node import TEXT, Node
from taskrun.templates.attributes import collected
from taskrun.templates.closures import NOTHING, Environment, Piece, Return, nothing

if TYPE_CHECKING:
    from taskrun.script.compiled_script import Script
    from taskrun.templates.compile import Compiler


def _script(compiler: Compiler, node: Node) -> Piece:
    compiler.only(node, "lang", "args", "returnType")
    script = _compiled(compiler, node)
    convert = _converter(compiler, node, "returnType")
    if script is None:
        return nothing
    _check_args(compiler, node, script)
    result: Any = script

    async def run(env: Environment) -> Any:
        value = result.run(env.scope)
        if result.suspends:
            value = await value
        if result.leaves and value is not ...:
            raise Return(convert(value), node)
        if value is ...:
            return NOTHING
        return env.give(convert(value), node, null=False)

    return run


def _compiled(compiler: Compiler, node: Node) -> Script | None:
    """Return the script that a ``c:script`` holds, None when it holds none."""
    if node.children:
        inner = next(child for child in node.children if child.tag != TEXT)
        compiler.note(inner, "unknown-tag", f"<{inner.tag}> in <c:script>, which holds text only", hint="put it beside")
        return None
    if not node.text.strip():
        compiler.note(node, "missing-element", "<c:script> is empty")
        return None
    language = node.attributes.get("lang", compiler.language)
    if language not in DIALECTS:
        hint = near_hint(language, DIALECTS) or "known are " + " and ".join(DIALECTS)
        message = f"unknown script language '{language}'"
        compiler.note(node, "unsupported-language", message, hint=hint, attribute="lang")
        return None
    return replace(compiler, language=language).script(node, leaves=True)


def _check_args(compiler: Compiler, node: Node, script: Script) -> None:
    """Note what a script reads besides its ``args``."""
    if "args" not in node.attributes:
        return
    wanted = {name.strip() for name in node.attributes["args"].split(",") if name.strip()}
    for name in sorted(script.reads - wanted):
        hint = near_hint(name, wanted)
        compiler.note(node, "unknown-variable", f"the script reads '{name}', which is not in args", hint=hint)
    compiler.found.reads.update(wanted)


def _converter(compiler: Compiler, node: Node, attribute: str) -> Callable[[Any], Any]:
    """Return the conversion to the type that an attribute names; null stays null."""
    name = node.attributes.get(attribute)
    convert = compiler.libraries.converter(name) if name is not None else _as_it_is
    if convert is None:
        compiler.note(node, "bad-value", f"no type is called '{name}'", attribute=attribute)
        return _as_it_is
    to_type = convert

    def converted(value: Any) -> Any:
        try:
            return None if value is None else to_type(value)
        except ValueError as error:
            raise ValueError(f"<{node.tag}> at {node.at}: {error}") from None

    return converted


def _as_it_is(value: Any) -> Any:
    return value


def _var(compiler: Compiler, node: Node) -> Piece:
    compiler.only(node, "name", "type", "value")
    if "name" not in node.attributes:
        compiler.note(node, "missing-attribute", "<c:var> needs the attribute name")
    compiler.names(node, "name")
    name = node.attributes.get("name", "")
    value = compiler.template(node, "value") if "value" in node.attributes else None
    if value is not None and (node.children or node.text.strip()):
        compiler.note(node, "doubled", "both a value and a body: one gives the value", attribute="value")
    inside = nothing if value is not None else collected(compiler.body(node), compiler.mode)
    convert = _converter(compiler, node, "type")

    async def run(env: Environment) -> Any:
        given = await inside(env) if value is None else value.run(env.scope)
        env.scope[name] = convert(None if given is NOTHING else given)
        return NOTHING

    return run


def _assign(compiler: Compiler, node: Node) -> Piece:
    compiler.empty(node)
    target = compiler.template(node, "obj") if "obj" in node.attributes else None
    names = [name for name in node.attributes if name != "obj" and not name.startswith(("xpl:", "xmlns:"))]
    values = {name: compiler.template(node, name) for name in names}
    if not values:
        compiler.note(node, "missing-attribute", "<c:assign> assigns nothing", hint='<c:assign total="${…}"/>')
    if target is None:
        for name in names:
            compiler.bind(node, name, name)

    async def run(env: Environment) -> Any:
        given = {name: value.run(env.scope) for name, value in values.items() if value is not None}
        if target is None:
            for name, value in given.items():
                env.scope[name] = value
            return NOTHING
        owner = target.run(env.scope)
        if not isinstance(owner, dict):
            raise TypeError(f"<c:assign> at {node.at}: obj is a map whose keys are set, not {type(owner).__name__}")
        owner.update(given)
        return NOTHING

    return run


def _import(compiler: Compiler, node: Node) -> Piece:
    compiler.note(node, "no-meaning", "<c:import> stands at the beginning of a body", hint="move it there")
    return nothing


def _include(compiler: Compiler, node: Node) -> Piece:
    compiler.only(node, "src")
    compiler.empty(node)
    if "src" not in node.attributes:
        compiler.note(node, "missing-attribute", "<c:include> needs the attribute src")
        return nothing
    try:
        root = compiler.libraries.included(node, "src")
    except FlowError as error:
        compiler.found.problems.extend(error.diagnostics)
        return nothing
    path = root.source.path
    if path in compiler.including:
        names = " includes ".join((*compiler.including, path))
        compiler.note(node, "cycle", f"a file includes itself: {names}", attribute="src")
        return nothing
    return replace(compiler, including=(*compiler.including, path)).element(root)


DATA: Mapping[str, Callable[[Compiler, Node], Piece]] = MappingProxyType(
    {"script": _script, "var": _var, "assign": _assign, "import": _import, "include": _include}
)
"""The tags of this module."""
