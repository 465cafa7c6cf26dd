"""Core tags for variables, scripts, imports and includes.

    <c:var name="total" value="${0}"/>      <c:var name="text" xpl:outputMode="text">…</c:var>
    <c:assign total="${total + 1}"/>        <c:assign obj="${order}" status="paid"/>
    <c:script>return total * 2</c:script>   <c:script lang="xscript" args="a,b">…</c:script>
    <c:import from="/shop/tags.xlib" as="shop"/>
    <c:include src="parts/header.xml"/>           replaced by the root of that file; <c:unit> for several tags

Rules: ``return`` in a ``<c:script>`` ends the whole template, tag body or slot body with that value, as ``return`` in
the script of a step ends the step. Without ``return``, the value of ``<c:script>`` is that of its last expression.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from taskrun.errors import FlowError, near_hint
from taskrun.script.compiled_script import DIALECTS
from taskrun.syntax.node import TEXT, Node
from taskrun.templates.attributes import collect_output
from taskrun.templates.closures import NO_VALUE, Environment, Return, TemplateNode, no_op

if TYPE_CHECKING:
    from taskrun.script.compiled_script import Script
    from taskrun.templates.compile import Compiler


def _script(compiler: Compiler, node: Node) -> TemplateNode:
    """Compile ``<c:script>``: run its text as a script."""
    compiler.check_attributes(node, "lang", "args", "returnType")
    script = _compile_script(compiler, node)
    convert = _converter(compiler, node, "returnType")
    if script is None:
        return no_op
    _check_args(compiler, node, script)
    result: Any = script

    async def run(env: Environment) -> Any:
        value = result.run(env.scope)
        if result.suspends:
            value = await value
        if result.leaves and value is not ...:
            raise Return(convert(value), node)
        if value is ...:
            return NO_VALUE
        return env.emit_or_return(convert(value), node, null=False)

    return run


def _compile_script(compiler: Compiler, node: Node) -> Script | None:
    """Compile the text of a ``<c:script>`` and return it; report problems and return None if it has any."""
    if node.children:
        inner = next(child for child in node.children if child.tag != TEXT)
        compiler.report(
            inner, "unknown-tag", f"<{inner.tag}> in <c:script>, which can contain text only", hint="move it out"
        )
        return None
    if not node.text.strip():
        compiler.report(node, "missing-element", "<c:script> is empty")
        return None
    language = node.attributes.get("lang", compiler.language)
    if language not in DIALECTS:
        hint = near_hint(language, DIALECTS) or "known are " + " and ".join(DIALECTS)
        message = f"unknown script language '{language}'"
        compiler.report(node, "unsupported-language", message, hint=hint, attribute="lang")
        return None
    return replace(compiler, language=language).script(node, leaves=True)


def _check_args(compiler: Compiler, node: Node, script: Script) -> None:
    """Report the variables that a ``<c:script>`` reads although its attribute ``args`` does not list them."""
    if "args" not in node.attributes:
        return
    wanted = {name.strip() for name in node.attributes["args"].split(",") if name.strip()}
    for name in sorted(script.reads - wanted):
        hint = near_hint(name, wanted)
        compiler.report(node, "unknown-variable", f"the script reads '{name}', which is not in args", hint=hint)
    compiler.facts.reads.update(wanted)


def _converter(compiler: Compiler, node: Node, attribute: str) -> Callable[[Any], Any]:
    """Return the function that converts a value to the type that an attribute names, such as ``type="int"``.

    Null stays null. An unknown type is reported. Without the attribute the function returns the value unchanged.
    """
    name = node.attributes.get(attribute)
    convert = compiler.libraries.converter(name) if name is not None else _unchanged
    if convert is None:
        compiler.report(node, "bad-value", f"there is no type '{name}'", attribute=attribute)
        return _unchanged
    to_type = convert

    def converted(value: Any) -> Any:
        try:
            return None if value is None else to_type(value)
        except ValueError as error:
            raise ValueError(f"<{node.tag}> at {node.at}: {error}") from None

    return converted


def _unchanged(value: Any) -> Any:
    """Return ``value``: used instead of a conversion where an attribute names no type."""
    return value


def _var(compiler: Compiler, node: Node) -> TemplateNode:
    """Compile ``<c:var>``: set a variable to the value of the attribute ``value`` or of the content."""
    compiler.check_attributes(node, "name", "type", "value")
    if "name" not in node.attributes:
        compiler.report(node, "missing-attribute", "<c:var> needs the attribute name")
    compiler.bind_variables(node, "name")
    name = node.attributes.get("name", "")
    value = compiler.template(node, "value") if "value" in node.attributes else None
    if value is not None and (node.children or node.text.strip()):
        compiler.report(node, "doubled", "<c:var> has a value and content; only one is possible", attribute="value")
    inside = no_op if value is not None else collect_output(compiler.body(node), compiler.mode)
    convert = _converter(compiler, node, "type")

    async def run(env: Environment) -> Any:
        result = await inside(env) if value is None else value.run(env.scope)
        env.scope[name] = convert(None if result is NO_VALUE else result)
        return NO_VALUE

    return run


def _assign(compiler: Compiler, node: Node) -> TemplateNode:
    """Compile ``<c:assign>``: set the variables that its attributes name or, with ``obj``, keys of this map."""
    compiler.check_empty(node)
    target = compiler.template(node, "obj") if "obj" in node.attributes else None
    names = [name for name in node.attributes if name != "obj" and not name.startswith(("xpl:", "xmlns:"))]
    values = {name: compiler.template(node, name) for name in names}
    if not values:
        compiler.report(node, "missing-attribute", "<c:assign> assigns nothing", hint='<c:assign total="${…}"/>')
    if target is None:
        for name in names:
            compiler.bind_variable(node, name, name)

    async def run(env: Environment) -> Any:
        given = {name: value.run(env.scope) for name, value in values.items() if value is not None}
        if target is None:
            for name, value in given.items():
                env.scope[name] = value
            return NO_VALUE
        owner = target.run(env.scope)
        if not isinstance(owner, dict):
            raise TypeError(f"<c:assign> at {node.at}: obj must be a map, not {type(owner).__name__}")
        owner.update(given)
        return NO_VALUE

    return run


def _import(compiler: Compiler, node: Node) -> TemplateNode:
    """Report ``<c:import>`` at a wrong place; at the beginning of a body it is read by ``apply_import`` instead."""
    message = "<c:import> is possible at the beginning of a body only"
    compiler.report(node, "no-meaning", message, hint="move it to the beginning")
    return no_op


def _include(compiler: Compiler, node: Node) -> TemplateNode:
    """Compile ``<c:include>``: compile the root element of another file in its place."""
    compiler.check_attributes(node, "src")
    compiler.check_empty(node)
    if "src" not in node.attributes:
        compiler.report(node, "missing-attribute", "<c:include> needs the attribute src")
        return no_op
    try:
        root = compiler.libraries.include(node, "src")
    except FlowError as error:
        compiler.facts.problems.extend(error.diagnostics)
        return no_op
    path = root.source.path
    if path in compiler.including:
        names = " includes ".join((*compiler.including, path))
        compiler.report(node, "cycle", f"a file includes itself: {names}", attribute="src")
        return no_op
    return replace(compiler, including=(*compiler.including, path)).element(root)


DATA: Mapping[str, Callable[[Compiler, Node], TemplateNode]] = MappingProxyType(
    {"script": _script, "var": _var, "assign": _assign, "import": _import, "include": _include}
)
"""The functions that compile the tags of this module, by the tags without ``c:``."""
