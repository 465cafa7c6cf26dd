"""The ``xpl:`` attributes that any tag of a template can have.

    <shop:Row xpl:if="${row.visible}" xpl:return="line" row="${row}"/>

=================  ==================================================================================================
``xpl:if``         runs the tag only if the expression is true
``xpl:skipIf``     runs only the content of the tag if the expression is true
``xpl:is``         replaces the name of the tag
``xpl:attrs``      adds the attributes of a map
``xpl:slot``       runs the slot with this name; the tag itself is the fallback if the caller passed no slot
``xpl:slotArgs``   a map of arguments for ``xpl:slot``
``xpl:slotScope``  renames the arguments of a slot, on the element that a caller passes for it
``xpl:lib``        declares libraries for the tag and its content
``xpl:return``     sets a variable to the value of the tag
``xpl:outputMode`` sets the output mode of the content; the value of the tag is then its output
``xpl:invert``     negates the attribute ``test``
``xpl:dump``       logs the value
=================  ==================================================================================================

Rules: the order is, from the outside in: if, slot, return, dump, outputMode, skipIf, attrs. An attribute that has no effect on
its tag is a problem.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from taskrun.errors import near_hint
from taskrun.syntax.node import Node
from taskrun.templates.closures import NO_VALUE, Environment, TemplateNode
from taskrun.templates.output import MODES, TemplateOutput
from taskrun.templates.slots import SlotFunction

if TYPE_CHECKING:
    from taskrun.templates.compile import Compiler

_LOG = logging.getLogger("taskrun.script")
_TESTED = frozenset({"c:if", "c:while", "c:iif", "c:check"})
"""The tags with the attribute ``test``, besides the <when> of c:choose."""
_OWN_BODY = frozenset({"c:var", "c:return"})
"""The tags that collect the output of their body as a value themselves."""
_READ_ELSEWHERE = frozenset({"xpl:lib", "xpl:is", "xpl:invert", "xpl:slotArgs", "xpl:slotScope"})
"""The attributes that wrap nothing: other functions read them."""


def compile_with_attributes(compiler: Compiler, node: Node) -> TemplateNode:
    """Compile an element with its ``xpl:`` attributes and return the template node."""
    _check(compiler, node)
    if (tag := node.attributes.get("xpl:is")) is not None:
        node = node._replace(tag=tag)
    compiled = _compile_inner(compiler, node)
    for name, wrap in _WRAPPERS.items():
        if name in node.attributes:
            compiled = wrap(compiler, node, compiled)
    return compiled


def _check(compiler: Compiler, node: Node) -> None:
    """Report the ``xpl:`` attributes of an element that do not exist or have no effect there."""
    given = node.attributes
    for name in given:
        if name.startswith("xpl:") and name not in XPL:
            near = near_hint(name, XPL)
            compiler.report(node, "unknown-attribute", f"{name} is not known", hint=near, attribute=name)
    tag = given.get("xpl:is", node.tag)
    wrong = {
        "xpl:invert": tag not in _TESTED and "it negates the test of " + ", ".join(sorted(_TESTED)),
        "xpl:attrs": tag.startswith("c:") and f"<{tag}> has only the attributes that are written",
        "xpl:slotArgs": "xpl:slot" not in given and "use it together with xpl:slot",
        "xpl:slotScope": tag.partition(":")[0] not in compiler.prefixes
        and "use it on a tag of a library or on its slot",
    }
    for name, hint in wrong.items():
        if name in given and hint:
            compiler.report(node, "no-meaning", f"{name} has no effect here", hint=hint, attribute=name)


def _read_mode(compiler: Compiler, node: Node) -> str | None:
    """Return the value of ``xpl:outputMode``, or None if it is missing; report an unknown mode and return "none"."""
    mode = node.attributes.get("xpl:outputMode")
    if mode is None or mode in MODES:
        return mode
    hint = near_hint(mode, MODES) or "one of " + ", ".join(MODES)
    compiler.report(node, "bad-value", f"xpl:outputMode='{mode}'", hint=hint, attribute="xpl:outputMode")
    return "none"


def _compile_inner(compiler: Compiler, node: Node) -> TemplateNode:
    """Compile an element with those ``xpl:`` attributes that are nearest to it: outputMode, skipIf and attrs."""
    mode = _read_mode(compiler, node)
    if mode is None and "xpl:return" in node.attributes:
        mode = "none"  # the value goes to the variable instead of the output
    inner = compiler if mode is None else compiler.with_mode(mode)
    compiled = inner.tag(node._replace(attributes=_own_attributes(node)))
    if "xpl:skipIf" in node.attributes:
        compiled = _skip_if(compiler, node, compiled, inner.body(node))
    if mode is None or node.tag in _OWN_BODY:
        return compiled
    compiled = collect_output(compiled, mode)
    return compiled if "xpl:return" in node.attributes or mode == "none" else _emit_collected(node, compiled, mode)


def _own_attributes(node: Node) -> Mapping[str, str]:
    """Return the attributes of an element without the ``xpl:`` attributes that ``compile_with_attributes`` handles."""
    read = ("xpl:attrs", "xpl:invert", "xpl:slotScope")
    return {name: text for name, text in node.attributes.items() if not name.startswith("xpl:") or name in read}


def collect_output(compiled: TemplateNode, mode: str) -> TemplateNode:
    """Return a template node whose value is the output of ``compiled``, or its value in the mode ``none``."""

    async def run(env: Environment) -> Any:
        out = TemplateOutput(mode)
        value = await compiled(env.with_output(out))
        return value if mode == "none" else out.result()

    return run


def _emit_collected(node: Node, compiled: TemplateNode, mode: str) -> TemplateNode:
    """Return a template node that collects the output of ``compiled`` in the mode ``mode`` and passes it on.

    It is added to the surrounding output or, if there is none, returned as the value.
    """

    async def run(env: Environment) -> Any:
        value = await compiled(env)
        return env.emit_or_return(value, node, raw=mode in {"xml", "html"})

    return run


def is_true(value: Any, *, inverted: bool = False) -> bool:
    """Return whether the value of a ``test`` is true or, if ``inverted``, whether it is false."""
    return (not value) if inverted else bool(value)


def _if(compiler: Compiler, node: Node, compiled: TemplateNode) -> TemplateNode:
    """Return ``compiled`` changed by ``xpl:if``, if present: it runs only if the expression is true."""
    test = compiler.expression(node, "xpl:if")
    if test is None:
        return compiled

    async def run(env: Environment) -> Any:
        return await compiled(env) if test.run(env.scope) else NO_VALUE

    return run


def _skip_if(compiler: Compiler, node: Node, compiled: TemplateNode, inside: TemplateNode) -> TemplateNode:
    """Return ``compiled`` changed by ``xpl:skipIf``, if present: if the expression is true, only ``inside`` runs.

    ``inside`` is the content of the element.
    """
    test = compiler.expression(node, "xpl:skipIf")
    if test is None:
        return compiled

    async def run(env: Environment) -> Any:
        return await (inside if test.run(env.scope) else compiled)(env)

    return run


def _return(compiler: Compiler, node: Node, compiled: TemplateNode) -> TemplateNode:
    """Return ``compiled`` changed by ``xpl:return``, if present: a variable is set to the value of the tag."""
    name = node.attributes["xpl:return"]
    compiler.bind_variables(node, "xpl:return")

    async def run(env: Environment) -> Any:
        value = await compiled(env)
        env.scope[name] = None if value is NO_VALUE else value
        return NO_VALUE

    return run


def _dump(compiler: Compiler, node: Node, compiled: TemplateNode) -> TemplateNode:
    """Return ``compiled`` changed by ``xpl:dump``, if present: the value of the tag is written to the log."""
    if node.attributes["xpl:dump"] not in {"true", "false"}:
        compiler.report(node, "bad-value", "xpl:dump: expected true or false", attribute="xpl:dump")
    if node.attributes["xpl:dump"] != "true":
        return compiled

    async def run(env: Environment) -> Any:
        value = await compiled(env)
        _LOG.info("%s: <%s> returned %r", node.at, node.tag, None if value is NO_VALUE else value)
        return value

    return run


def _slot(compiler: Compiler, node: Node, compiled: TemplateNode) -> TemplateNode:
    """Return ``compiled`` changed by ``xpl:slot``, if present: the content that the caller passed for the slot runs.

    If the caller passed none, ``compiled`` runs.
    """
    name = node.attributes["xpl:slot"]
    if name not in compiler.slots:
        hint = near_hint(name, compiler.slots) or "declare the slot in the tag: <slot name=…/>"
        compiler.report(node, "unknown-slot", f"the tag has no slot '{name}'", hint=hint, attribute="xpl:slot")
        return compiled
    arguments = compiler.expression(node, "xpl:slotArgs", needed=False)
    compiler.facts.slots.add(name)

    async def run(env: Environment) -> Any:
        slot = env.scope.find(name, None)
        if slot is None:
            return await compiled(env)
        given = arguments.run(env.scope) if arguments is not None else {}
        if not isinstance(slot, SlotFunction):
            raise TypeError(f"the slot '{name}' is {type(slot).__name__}: xpl:slot needs a slot that can be run")
        return await slot.emit(env, node, given or {})

    return run


_WRAPPERS: Mapping[str, Callable[[Compiler, Node, TemplateNode], TemplateNode]] = MappingProxyType(
    {"xpl:dump": _dump, "xpl:return": _return, "xpl:slot": _slot, "xpl:if": _if}
)
"""The attributes that wrap a compiled tag, the innermost first."""
XPL = frozenset({*_WRAPPERS, *_READ_ELSEWHERE, "xpl:skipIf", "xpl:attrs", "xpl:outputMode"})
"""All ``xpl:`` attributes."""


def is_inverted(compiler: Compiler, node: Node) -> bool:
    """Return whether the element has ``xpl:invert``, which negates its attribute ``test``."""
    text = node.attributes.get("xpl:invert", "false")
    if text not in {"true", "false"}:
        compiler.report(node, "bad-value", "xpl:invert: expected true or false", attribute="xpl:invert")
    return text == "true"
