"""Core tags that write to the output or to the log.

    <c:out value="${name}" escape="none"/>    <c:print>done: ${count}</c:print>
    <c:log info="${count} rows"/>             <c:unit>…</c:unit>
    <c:collect outputMode="node" singleNode="true">…</c:collect>
    <c:template>Dear {{ name }}</c:template>

Rules: the value of ``c:collect`` is the output of its content; ``c:unit`` only groups its content. The value of
``c:ast`` is the list of its child elements, which are not compiled; it is meant for macros and generators.
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
from taskrun.templates.attributes import collect_output
from taskrun.templates.closures import NO_VALUE, Environment, TemplateNode, no_op
from taskrun.templates.element import Element
from taskrun.templates.output import MODES, TemplateOutput, text_of

if TYPE_CHECKING:
    from taskrun.templates.compile import Compiler

_LOG = logging.getLogger("taskrun.script")
_LEVELS: Mapping[str, int] = MappingProxyType(
    {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
)


def _out(compiler: Compiler, node: Node) -> TemplateNode:
    """Compile ``<c:out>``: add the value of the attribute ``value`` to the output."""
    compiler.check_attributes(node, "value", "escape")
    compiler.check_empty(node)
    escape = node.attributes.get("escape", "xml")
    if escape not in {"xml", "none"}:
        compiler.report(node, "bad-value", f"escape='{escape}'", hint="xml or none", attribute="escape")
    if compiler.mode == "none":
        hint = "set xpl:outputMode, or use <c:script> to return a value"
        compiler.report(node, "no-meaning", "<c:out> has no effect: there is no output here", hint=hint)
    value = compiler.expression(node, "value")

    async def run(env: Environment) -> Any:
        assert value is not None  # noqa: S101 - a missing value was reported
        env.out.add_value(value.run(env.scope), node, raw=escape == "none")
        return NO_VALUE

    return run


def _print(compiler: Compiler, node: Node) -> TemplateNode:
    """Compile ``<c:print>``: write the text that its content outputs to the log."""
    compiler.check_attributes(node)
    inside = collect_output(compiler.with_mode("text").body(node), "text")

    async def run(env: Environment) -> Any:
        _LOG.info("%s", await inside(env))
        return NO_VALUE

    return run


def _log(compiler: Compiler, node: Node) -> TemplateNode:
    """Compile ``<c:log info="…">``: write the text of each attribute to the log; the attribute's name is the level."""
    compiler.check_attributes(node, *_LEVELS)
    compiler.check_empty(node)
    texts = [(_LEVELS[name], compiler.template(node, name)) for name in node.attributes if name in _LEVELS]
    if not texts:
        compiler.report(node, "missing-attribute", "<c:log> needs one of " + ", ".join(_LEVELS))

    async def run(env: Environment) -> Any:
        for level, text in texts:
            if text is not None and _LOG.isEnabledFor(level):
                _LOG.log(level, "%s", text_of(text.run(env.scope)))
        return NO_VALUE

    return run


def _collect(compiler: Compiler, node: Node) -> TemplateNode:
    """Compile ``<c:collect>``: its value is the output of its content, in the mode ``outputMode``.

    With ``singleNode`` the value is the only element of the output instead of a list.
    """
    compiler.check_attributes(node, "outputMode", "singleNode")
    mode = node.attributes.get("outputMode", "node")
    if mode not in MODES or mode == "none":
        hint = near_hint(mode, MODES) or "text, xml, html, node or value"
        compiler.report(node, "bad-value", f"outputMode='{mode}'", hint=hint, attribute="outputMode")
        mode = "text"
    single = node.attributes.get("singleNode", "false")
    if single not in {"true", "false"} or (single == "true" and mode != "node"):
        compiler.report(
            node,
            "bad-value",
            "singleNode must be true or false, and true is possible in the mode node only",
            attribute="singleNode",
        )
    inside = collect_output(compiler.with_mode(mode).body(node), mode)

    async def run(env: Environment) -> Any:
        value = await inside(env)
        if single == "true":
            if len(value) != 1:
                raise ValueError(f"<c:collect singleNode=…> at {node.at} output {len(value)} elements instead of one")
            value = value[0]
        return env.emit_or_return(value, node, raw=mode in {"xml", "html"})

    return run


def _unit(compiler: Compiler, node: Node) -> TemplateNode:
    """Compile ``<c:unit>``: run its content; the tag only groups, for example at the root of an included file."""
    compiler.check_attributes(node)
    return compiler.source(node)


def _ast(compiler: Compiler, node: Node) -> TemplateNode:
    """Compile ``<c:ast>``: its value is the list of its child elements, which are not executed."""
    compiler.check_attributes(node)
    inner = TemplateOutput("node")
    inner.add_value([Element(child) for child in node.children], node)
    if node.text.strip():
        inner.add_value(node.text, node)
    elements = inner.result()

    async def run(env: Environment) -> Any:
        return env.emit_or_return(elements, node)

    return run


def _text_template(compiler: Compiler, node: Node) -> TextTemplate | None:
    """Compile the text of an element as a jinja2 template and return it; report problems and return None if it has any.

    It is compiled as asynchronous only if it uses an async function, so that other templates also work where a script
    must not await.
    """
    table = compiler.settings.namespace
    try:
        template = compile_text_template(node, settings=compiler.settings)
        if any(iscoroutinefunction(table.get(name)) for name in template.uses):
            template = compile_text_template(node, awaits=True, settings=compiler.settings)
    except BindError as error:
        compiler.facts.add_problems(error.diagnostics)
        return None
    compiler.add_script(template)
    return template


def _template(compiler: Compiler, node: Node) -> TemplateNode:
    """Compile ``<c:template>``: output the text that its content, a jinja2 template, produces."""
    compiler.check_attributes(node, "lang")
    if (language := node.attributes.get("lang", "jinja2")) != "jinja2":
        compiler.report(
            node,
            "unsupported-language",
            f"templates in '{language}' are not supported",
            hint="jinja2",
            attribute="lang",
        )
        return no_op
    script: Any = _text_template(compiler, node)
    if script is None:
        return no_op

    async def run(env: Environment) -> Any:
        text = script.run(env.scope)
        if script.suspends:
            text = await text
        return env.emit_or_return(text, node, raw=True)

    return run


OUTPUT: Mapping[str, Callable[[Compiler, Node], TemplateNode]] = MappingProxyType(
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
"""The functions that compile the tags of this module, by the tags without ``c:``."""
