"""The ``xpl:`` attributes, which any tag of a template can have.

    <shop:Row xpl:if="${row.visible}" xpl:return="line" row="${row}"/>

``xpl:if`` runs the tag only if; ``xpl:skipIf`` runs only what is inside it if; ``xpl:is`` takes another tag's name;
``xpl:attrs`` adds the attributes of a map; ``xpl:slot`` puts the slot of that name here, with the arguments of the map
``xpl:slotArgs``, and the tag itself where the caller gave none; ``xpl:lib`` names libraries for the tag and its inside;
``xpl:return`` sets a variable to the tag's value; ``xpl:outputMode`` says what is put out inside, which is then the
tag's value; ``xpl:invert`` turns its ``test`` round; ``xpl:dump`` logs its value. ``xpl:slotScope`` names the variables of a slot, on what fills it.

Rules: they work from the outside in: if, slot, return, dump, outputMode, skipIf, attrs. One that would mean nothing where it
stands is an error.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from taskrun.errors import near_hint
from taskrun.syntax.node import Node
from taskrun.templates.closures import NOTHING, Environment, Piece
from taskrun.templates.output import MODES, Output
from taskrun.templates.slots import Filling

if TYPE_CHECKING:
    from taskrun.templates.compile import Compiler

_LOG = logging.getLogger("taskrun.script")
_TESTED = frozenset({"c:if", "c:while", "c:iif", "c:check"})
"""The tags with a test (besides the <when> of c:choose)."""
_OWN_BODY = frozenset({"c:var", "c:return"})
"""The tags that take what their body puts out as a value themselves."""
_HEARD = frozenset({"xpl:lib", "xpl:is", "xpl:invert", "xpl:slotArgs", "xpl:slotScope"})


def with_attributes(compiler: Compiler, node: Node) -> Piece:
    """Return the piece for an element with ``xpl:`` attributes."""
    _check(compiler, node)
    if (tag := node.attributes.get("xpl:is")) is not None:
        node = node._replace(tag=tag)
    piece = _inner(compiler, node)
    for name, wrap in _WRAPPERS.items():
        if name in node.attributes:
            piece = wrap(compiler, node, piece)
    return piece


def _check(compiler: Compiler, node: Node) -> None:
    """Note the attributes that do not exist or mean nothing here."""
    given = node.attributes
    for name in given:
        if name.startswith("xpl:") and name not in XPL:
            compiler.note(node, "unknown-attribute", f"{name} is not known", hint=near_hint(name, XPL), attribute=name)
    tag = given.get("xpl:is", node.tag)
    wrong = {
        "xpl:invert": tag not in _TESTED and "it turns round the test of " + ", ".join(sorted(_TESTED)),
        "xpl:attrs": tag.startswith("c:") and f"<{tag}> has its attributes as they are written",
        "xpl:slotArgs": "xpl:slot" not in given and "it goes with xpl:slot",
        "xpl:slotScope": tag.partition(":")[0] not in compiler.prefixes
        and "it stands on a tag of a library or its slot",
    }
    for name, hint in wrong.items():
        if name in given and hint:
            compiler.note(node, "no-meaning", f"{name} means nothing here", hint=hint, attribute=name)


def mode_of(compiler: Compiler, node: Node) -> str | None:
    """Return the mode that ``xpl:outputMode`` says, None when there is none; a wrong one is noted."""
    mode = node.attributes.get("xpl:outputMode")
    if mode is None or mode in MODES:
        return mode
    hint = near_hint(mode, MODES) or "one of " + ", ".join(MODES)
    compiler.note(node, "bad-value", f"xpl:outputMode='{mode}'", hint=hint, attribute="xpl:outputMode")
    return "none"


def _inner(compiler: Compiler, node: Node) -> Piece:
    mode = mode_of(compiler, node)
    if mode is None and "xpl:return" in node.attributes:
        mode = "none"  # the variable gets the value, the output does not
    inner = compiler if mode is None else compiler.into(mode)
    piece = inner.plain(node._replace(attributes=_plain(node)))
    if "xpl:skipIf" in node.attributes:
        piece = _skipped(compiler, node, piece, inner.body(node))
    if mode is None or node.tag in _OWN_BODY:
        return piece
    piece = collected(piece, mode)
    return piece if "xpl:return" in node.attributes or mode == "none" else _put_out(node, piece, mode)


def _plain(node: Node) -> Mapping[str, str]:
    """Return the attributes that the tag itself reads."""
    kept = ("xpl:attrs", "xpl:invert", "xpl:slotScope")
    return {name: text for name, text in node.attributes.items() if not name.startswith("xpl:") or name in kept}


def collected(piece: Piece, mode: str) -> Piece:
    """Return the piece whose value is what another puts out, or its own value in the mode ``none``."""

    async def run(env: Environment) -> Any:
        out = Output(mode)
        value = await piece(env.into(out))
        return value if mode == "none" else out.result()

    return run


def _put_out(node: Node, piece: Piece, mode: str) -> Piece:
    """Return the piece that puts out what another has collected, where something is put out."""

    async def run(env: Environment) -> Any:
        value = await piece(env)
        return env.give(value, node, raw=mode in {"xml", "html"})

    return run


def truth(value: Any, *, inverted: bool = False) -> bool:
    """Return whether a test holds."""
    return (not value) if inverted else bool(value)


def _if(compiler: Compiler, node: Node, piece: Piece) -> Piece:
    test = compiler.expression(node, "xpl:if")
    if test is None:
        return piece

    async def run(env: Environment) -> Any:
        return await piece(env) if test.run(env.scope) else NOTHING

    return run


def _skipped(compiler: Compiler, node: Node, piece: Piece, inside: Piece) -> Piece:
    test = compiler.expression(node, "xpl:skipIf")
    if test is None:
        return piece

    async def run(env: Environment) -> Any:
        return await (inside if test.run(env.scope) else piece)(env)

    return run


def _return(compiler: Compiler, node: Node, piece: Piece) -> Piece:
    name = node.attributes["xpl:return"]
    compiler.names(node, "xpl:return")

    async def run(env: Environment) -> Any:
        value = await piece(env)
        env.scope[name] = None if value is NOTHING else value
        return NOTHING

    return run


def _dump(compiler: Compiler, node: Node, piece: Piece) -> Piece:
    if node.attributes["xpl:dump"] not in {"true", "false"}:
        compiler.note(node, "bad-value", "xpl:dump: expected true or false", attribute="xpl:dump")
    if node.attributes["xpl:dump"] != "true":
        return piece

    async def run(env: Environment) -> Any:
        value = await piece(env)
        _LOG.info("%s: <%s> gave %r", node.at, node.tag, None if value is NOTHING else value)
        return value

    return run


def _slot(compiler: Compiler, node: Node, piece: Piece) -> Piece:
    name = node.attributes["xpl:slot"]
    if name not in compiler.slots:
        hint = near_hint(name, compiler.slots) or "a slot is declared in the tag: <slot name=…/>"
        compiler.note(node, "unknown-slot", f"the tag has no slot '{name}'", hint=hint, attribute="xpl:slot")
        return piece
    arguments = compiler.expression(node, "xpl:slotArgs", needed=False)
    compiler.found.slots.add(name)

    async def run(env: Environment) -> Any:
        slot = env.scope.find(name, None)
        if slot is None:
            return await piece(env)
        given = arguments.run(env.scope) if arguments is not None else {}
        if not isinstance(slot, Filling):
            raise TypeError(f"the slot '{name}' is {type(slot).__name__}: xpl:slot puts a slot of a caller here")
        return await slot.put(env, node, given or {})

    return run


_WRAPPERS: Mapping[str, Callable[[Compiler, Node, Piece], Piece]] = MappingProxyType(
    {"xpl:dump": _dump, "xpl:return": _return, "xpl:slot": _slot, "xpl:if": _if}
)
XPL = frozenset({*_WRAPPERS, *_HEARD, "xpl:skipIf", "xpl:attrs", "xpl:outputMode"})
"""The attributes that there are."""


def inverted(compiler: Compiler, node: Node) -> bool:
    """Whether a tag's test is turned round."""
    text = node.attributes.get("xpl:invert", "false")
    if text not in {"true", "false"}:
        compiler.note(node, "bad-value", "xpl:invert: expected true or false", attribute="xpl:invert")
    return text == "true"
