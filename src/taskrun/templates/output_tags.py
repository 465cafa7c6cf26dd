"""The tags of the core that put something out.

    <c:out value="${name}" escape="none"/>    <c:print>done: ${count}</c:print>
    <c:log info="${count} rows"/>             <c:unit>…</c:unit>
    <c:collect outputMode="node" singleNode="true">…</c:collect>
    <c:template>Dear {{ name }}</c:template>

Rules: ``c:collect`` gives what its body puts out as a value; ``c:unit`` is its body and nothing else. ``c:ast`` gives the
elements that it holds as they are written, for macros and generators.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from inspect import iscoroutinefunction
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from taskrun.errors import BindError, near_hint
from taskrun.script.text_template import TextTemplate, compile_text_template
from taskrun.syntax.node import Node
from taskrun.templates.attributes import collected
from taskrun.templates.closures import NOTHING, Environment, Piece, nothing
from taskrun.templates.element import Element
from taskrun.templates.output import MODES, Output, shown

if TYPE_CHECKING:
    from taskrun.templates.compile import Compiler

_LOG = logging.getLogger("taskrun.script")
_LEVELS: Mapping[str, int] = MappingProxyType(
    {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
)


def _out(compiler: Compiler, node: Node) -> Piece:
    compiler.only(node, "value", "escape")
    compiler.empty(node)
    escape = node.attributes.get("escape", "xml")
    if escape not in {"xml", "none"}:
        compiler.note(node, "bad-value", f"escape='{escape}'", hint="xml or none", attribute="escape")
    if compiler.mode == "none":
        hint = "the value of a body is that of its last tag; text needs xpl:outputMode"
        compiler.note(node, "no-meaning", "<c:out> where nothing is put out", hint=hint)
    value = compiler.expression(node, "value")

    async def run(env: Environment) -> Any:
        assert value is not None  # noqa: S101 - noted
        env.out.value(value.run(env.scope), node, raw=escape == "none")
        return NOTHING

    return run


def _print(compiler: Compiler, node: Node) -> Piece:
    compiler.only(node)
    inside = collected(compiler.into("text").body(node), "text")

    async def run(env: Environment) -> Any:
        _LOG.info("%s", await inside(env))
        return NOTHING

    return run


def _log(compiler: Compiler, node: Node) -> Piece:
    compiler.only(node, *_LEVELS)
    compiler.empty(node)
    texts = [(_LEVELS[name], compiler.template(node, name)) for name in node.attributes if name in _LEVELS]
    if not texts:
        compiler.note(node, "missing-attribute", "<c:log> needs one of " + ", ".join(_LEVELS))

    async def run(env: Environment) -> Any:
        for level, text in texts:
            if text is not None and _LOG.isEnabledFor(level):
                _LOG.log(level, "%s", shown(text.run(env.scope)))
        return NOTHING

    return run


def _collect(compiler: Compiler, node: Node) -> Piece:
    compiler.only(node, "outputMode", "singleNode")
    mode = node.attributes.get("outputMode", "node")
    if mode not in MODES or mode == "none":
        hint = near_hint(mode, MODES) or "text, xml, html, node or value"
        compiler.note(node, "bad-value", f"outputMode='{mode}'", hint=hint, attribute="outputMode")
        mode = "text"
    single = node.attributes.get("singleNode", "false")
    if single not in {"true", "false"} or (single == "true" and mode != "node"):
        compiler.note(node, "bad-value", "singleNode is true or false, of mode node", attribute="singleNode")
    inside = collected(compiler.into(mode).body(node), mode)

    async def run(env: Environment) -> Any:
        value = await inside(env)
        if single == "true":
            if len(value) != 1:
                raise ValueError(f"<c:collect singleNode=…> at {node.at} put out {len(value)} elements, not one")
            value = value[0]
        return env.give(value, node, raw=mode in {"xml", "html"})

    return run


def _unit(compiler: Compiler, node: Node) -> Piece:
    compiler.only(node)
    return compiler.source(node)


def _ast(compiler: Compiler, node: Node) -> Piece:
    compiler.only(node)
    inner = Output("node")
    inner.value([Element(child) for child in node.children], node)
    if node.text.strip():
        inner.value(node.text, node)
    elements = inner.result()

    async def run(env: Environment) -> Any:
        return env.give(elements, node)

    return run


def _text_template(compiler: Compiler, node: Node) -> TextTemplate | None:
    """Return the jinja2 template that is an element's text, None when it is wrong.

    It waits only where it uses an async function, so that it can stand wherever nothing waits.
    """
    table = compiler.settings.namespace
    try:
        template = compile_text_template(node, settings=compiler.settings)
        if any(iscoroutinefunction(table.get(name)) for name in template.uses):
            template = compile_text_template(node, awaits=True, settings=compiler.settings)
    except BindError as error:
        compiler.found.note(error.diagnostics)
        return None
    compiler.took(template)
    return template


def _template(compiler: Compiler, node: Node) -> Piece:
    compiler.only(node, "lang")
    if (language := node.attributes.get("lang", "jinja2")) != "jinja2":
        compiler.note(node, "unsupported-language", f"no templates in '{language}'", hint="jinja2", attribute="lang")
        return nothing
    script: Any = _text_template(compiler, node)
    if script is None:
        return nothing

    async def run(env: Environment) -> Any:
        text = script.run(env.scope)
        if script.suspends:
            text = await text
        return env.give(text, node, raw=True)

    return run


OUTPUT: Mapping[str, Callable[[Compiler, Node], Piece]] = MappingProxyType(
    {
        "out": _out,
        "print": _print,
        "log": _log,
        "collect": _collect,
        "unit": _unit,
        "ast": _ast,
        "template": _template,
    }
)
"""The tags of this module."""
