"""The ``xpl:`` attributes, which every tag of a template can have besides its own attributes.

    <shop:Row xpl:if="${row.visible}" xpl:return="line" row="${row}"/>

=================  ==================================================================================================
``xpl:if``         runs the tag only if the expression is true
``xpl:skipIf``     runs only the content of the tag if the expression is true
``xpl:is``         replaces the name of the tag
``xpl:attrs``      adds the attributes of a map
``xpl:slot``       runs the slot with this name; the tag itself is the fallback if the caller passed no slot body
``xpl:slotArgs``   a map of arguments for ``xpl:slot``
``xpl:slotScope``  renames the arguments of a slot, on the element that a caller passes for it
``xpl:lib``        declares libraries for the tag and its content
``xpl:return``     sets a variable to the value of the tag
``xpl:outputMode`` sets the output mode of the content; the value of the tag is then its output
``xpl:invert``     negates the attribute ``test``
``xpl:dump``       logs the value
=================  ==================================================================================================

Rules: a tag may have several of them. They are then applied in this order, the outermost first: if, slot, return, dump,
outputMode, skipIf, attrs. An attribute that has no effect on its tag is a problem.
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
    """Compile an element that has ``xpl:`` attributes to a template node, which applies them."""
    _check(compiler, node)
    if (tag := node.attributes.get("xpl:is")) is not None:
        node = node._replace(tag=tag)
    compiled = _compile_inner(compiler, node)
    for name, wrap in _WRAPPERS.items():
        if name in node.attributes:
            compiled = wrap(compiler, node, compiled)
    return compiled


def _check(compiler: Compiler, node: Node) -> None:
    """Report the ``xpl:`` attributes of an element that do not exist or have no effect on it."""
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
    """Compile an element with the ``xpl:`` attributes that are applied first: outputMode, skipIf and attrs.

    The other ``xpl:`` attributes of the element are ignored; ``compile_with_attributes`` adds them.
    """
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
    """Return the attributes that the tag itself reads.

    These are all without the prefix ``xpl:``, and ``xpl:attrs``, ``xpl:invert`` and ``xpl:slotScope``.
    """
    read = ("xpl:attrs", "xpl:invert", "xpl:slotScope")
    return {name: text for name, text in node.attributes.items() if not name.startswith("xpl:") or name in read}


def collect_output(compiled: TemplateNode, mode: str) -> TemplateNode:
    """Return a template node that runs ``compiled`` with an output of its own and has this output as its value.

    In the mode ``none`` its value is that of ``compiled``.
    """

    async def run(env: Environment) -> Any:
        out = TemplateOutput(mode)
        value = await compiled(env.with_output(out))
        return value if mode == "none" else out.result()

    return run


def _emit_collected(node: Node, compiled: TemplateNode, mode: str) -> TemplateNode:
    """Return a template node that runs ``compiled`` and passes on its value, an output collected in ``mode``.

    This collected output is added to the surrounding output. If there is none (mode ``none``), it is the value of the
    template node.
    """

    async def run(env: Environment) -> Any:
        value = await compiled(env)
        return env.emit_or_return(value, node, raw=mode in {"xml", "html"})

    return run


def is_true(value: Any, *, inverted: bool = False) -> bool:
    """Return whether the value of a ``test`` is true or, with ``inverted`` (``xpl:invert``), whether it is false."""
    return (not value) if inverted else bool(value)


def _if(compiler: Compiler, node: Node, compiled: TemplateNode) -> TemplateNode:
    """Apply ``xpl:if``: return a template node that runs ``compiled`` only if the expression of the attribute is true.

    If the expression has problems, return ``compiled``.
    """
    test = compiler.expression(node, "xpl:if")
    if test is None:
        return compiled

    async def run(env: Environment) -> Any:
        return await compiled(env) if test.run(env.scope) else NO_VALUE

    return run


def _skip_if(compiler: Compiler, node: Node, compiled: TemplateNode, inside: TemplateNode) -> TemplateNode:
    """Apply ``xpl:skipIf``: return a template node that runs ``inside`` if the expression is true, else ``compiled``.

    ``inside`` is the content of the element without the tag. If the expression has problems, return ``compiled``.
    """
    test = compiler.expression(node, "xpl:skipIf")
    if test is None:
        return compiled

    async def run(env: Environment) -> Any:
        return await (inside if test.run(env.scope) else compiled)(env)

    return run


def _return(compiler: Compiler, node: Node, compiled: TemplateNode) -> TemplateNode:
    """Apply ``xpl:return``: return a template node that runs ``compiled`` and sets a variable to its value."""
    name = node.attributes["xpl:return"]
    compiler.bind_variables(node, "xpl:return")

    async def run(env: Environment) -> Any:
        value = await compiled(env)
        env.scope[name] = None if value is NO_VALUE else value
        return NO_VALUE

    return run


def _dump(compiler: Compiler, node: Node, compiled: TemplateNode) -> TemplateNode:
    """Apply ``xpl:dump="true"``: return a template node that runs ``compiled`` and writes its value to the log."""
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
    """Apply ``xpl:slot``: return a template node that runs the slot body that the caller of the tag passed.

    If the caller passed none, it runs ``compiled``. An unknown slot is reported.
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
    """Return whether the element has ``xpl:invert="true"``, which negates its attribute ``test``."""
    text = node.attributes.get("xpl:invert", "false")
    if text not in {"true", "false"}:
        compiler.report(node, "bad-value", "xpl:invert: expected true or false", attribute="xpl:invert")
    return text == "true"
