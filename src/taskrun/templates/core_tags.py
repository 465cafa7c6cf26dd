"""The tags of the core: control flow, and the table of all of them.

    <c:if test="${x > 1}">…</c:if>
    <c:choose><when test="${x}">…</when><otherwise>…</otherwise></c:choose>
    <c:for items="${rows}" var="row" index="i">…</c:for>     <c:for begin="1" end="3" var="n">…</c:for>
    <c:while test="${todo}">…<c:break/>…</c:while>
    <c:return value="${x}"/>     <c:iif test="${x}" then="${1}" else="${2}"/>

Rules: one function per tag, from its element to a piece. A variable that a tag sets is the step's (or, in a library, the
tag's) and stays after it, but for those of a loop, which keep their last value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from taskrun.syntax.node import Node
from taskrun.templates.attributes import collected, inverted, truth
from taskrun.templates.closures import NOTHING, Break, Continue, Environment, Piece, Return, nothing
from taskrun.templates.data_tags import DATA
from taskrun.templates.failure_tags import FAILURE
from taskrun.templates.output_tags import OUTPUT

if TYPE_CHECKING:
    from taskrun.templates.compile import Compiler

Tag = Callable[["Compiler", Node], Piece]
Values = Callable[[Environment], Iterable[Any]]


def _if(compiler: Compiler, node: Node) -> Piece:
    compiler.only(node, "test")
    test, inside, turned = compiler.expression(node, "test"), compiler.body(node), inverted(compiler, node)

    async def run(env: Environment) -> Any:
        assert test is not None  # noqa: S101 - noted
        return await inside(env) if truth(test.run(env.scope), inverted=turned) else NOTHING

    return run


def _choose(compiler: Compiler, node: Node) -> Piece:
    compiler.only(node)
    branches: list[tuple[Any, bool, Piece]] = []
    otherwise: Piece | None = None
    for child in node.children:
        tag = child.tag.removeprefix("c:")
        if tag == "when" and otherwise is None:
            compiler.only(child, "test", "xpl:invert", xpl=False)
            branches.append((compiler.expression(child, "test"), inverted(compiler, child), compiler.body(child)))
        elif tag == "otherwise" and otherwise is None:
            compiler.only(child, xpl=False)
            otherwise = compiler.body(child)
        else:
            hint = "<when>, and at the end one <otherwise>"
            compiler.note(child, "unknown-tag", f"<{child.tag}> is not possible here in <c:choose>", hint=hint)
    if not branches or node.text.strip():
        compiler.note(node, "missing-element", "<c:choose> needs a <when>", hint="text goes into <when> or <otherwise>")

    async def run(env: Environment) -> Any:
        for test, turned, inside in branches:
            if truth(test.run(env.scope), inverted=turned):
                return await inside(env)
        return NOTHING if otherwise is None else await otherwise(env)

    return run


def _for(compiler: Compiler, node: Node) -> Piece:
    compiler.only(node, "items", "var", "index", "begin", "end", "step")
    values = _counted(compiler, node) if "items" not in node.attributes else _items(compiler, node)
    compiler.names(node, "var", "index")
    var, index = node.attributes.get("var"), node.attributes.get("index")
    inside = compiler.in_loop().body(node)

    async def run(env: Environment) -> Any:
        for position, value in enumerate(values(env)):
            env.budget.charge(1)
            if var:
                env.scope[var] = value
            if index:
                env.scope[index] = position
            if not await _goes_on(env, inside):
                break
        return NOTHING

    return run


async def _goes_on(env: Environment, inside: Piece) -> bool:
    """Run a turn of a loop and return whether another may follow."""
    try:
        await inside(env)
    except Break:
        return False
    except Continue:
        return True
    return True


def _items(compiler: Compiler, node: Node) -> Values:
    """Return what gives the items of a ``c:for``: of a map its pairs, of null none."""
    for name in ("begin", "end", "step"):
        if name in node.attributes:
            compiler.note(node, "no-meaning", f"{name} counts, and items gives the turns", attribute=name)
    items = compiler.expression(node, "items")

    def values(env: Environment) -> Iterable[Any]:
        found = items.run(env.scope) if items is not None else None
        if found is None:
            return ()
        if isinstance(found, str) or not isinstance(found, Iterable):
            raise TypeError(f"<c:for> at {node.at}: items is {type(found).__name__}, which is no list")
        return list(found.items()) if isinstance(found, Mapping) else found

    return values


def _counted(compiler: Compiler, node: Node) -> Values:
    """Return what gives the numbers of a ``c:for``, the last one included."""
    given = {name: compiler.expression(node, name, needed=False) for name in ("begin", "end", "step")}
    if given["end"] is None:
        compiler.note(node, "missing-attribute", "<c:for> needs items, or begin and end")

    def number(env: Environment, name: str, default: int) -> int:
        script = given[name]
        value = default if script is None else script.run(env.scope)
        if isinstance(value, str) and value.strip().lstrip("+-").isdigit():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"<c:for> at {node.at}: {name}={value!r} is no whole number")
        return value

    def values(env: Environment) -> Iterable[Any]:
        first, last, pace = number(env, "begin", 0), number(env, "end", 0), number(env, "step", 1)
        if pace == 0:
            raise ValueError(f"<c:for> at {node.at}: step is 0")
        return range(first, last + (1 if pace > 0 else -1), pace)

    return values


def _while(compiler: Compiler, node: Node) -> Piece:
    compiler.only(node, "test")
    test, turned = compiler.expression(node, "test"), inverted(compiler, node)
    inside = compiler.in_loop().body(node)

    async def run(env: Environment) -> Any:
        assert test is not None  # noqa: S101 - noted
        while truth(test.run(env.scope), inverted=turned):
            env.budget.charge(1)
            if not await _goes_on(env, inside):
                break
        return NOTHING

    return run


def _leaving(error: type[Break | Continue]) -> Tag:
    def make(compiler: Compiler, node: Node) -> Piece:
        compiler.only(node)
        compiler.empty(node)
        if not compiler.loops:
            compiler.note(
                node, "no-meaning", f"<{node.tag}> stands in no loop", hint="it ends a turn of c:for or c:while"
            )

        async def run(_env: Environment) -> Any:
            raise error

        return run

    return make


def _return(compiler: Compiler, node: Node) -> Piece:
    compiler.only(node, "value")
    value = compiler.template(node, "value") if "value" in node.attributes else None
    if value is not None:
        compiler.empty(node)
    holds = bool(node.children or node.text.strip())
    inside = nothing if value is not None or not holds else collected(compiler.body(node), compiler.mode)

    async def run(env: Environment) -> Any:
        given = await inside(env) if value is None else value.run(env.scope)
        raise Return(None if given is NOTHING else given, node)

    return run


def _iif(compiler: Compiler, node: Node) -> Piece:
    compiler.only(node, "test", "then", "else")
    compiler.empty(node)
    test, turned = compiler.expression(node, "test"), inverted(compiler, node)
    yes, no = (compiler.template(node, name) if name in node.attributes else None for name in ("then", "else"))

    async def run(env: Environment) -> Any:
        assert test is not None  # noqa: S101 - noted
        chosen = yes if truth(test.run(env.scope), inverted=turned) else no
        value = None if chosen is None else chosen.run(env.scope)
        return env.give(value, node)

    return run


_CONTROL: Mapping[str, Tag] = MappingProxyType(
    {
        "if": _if,
        "choose": _choose,
        "for": _for,
        "while": _while,
        "break": _leaving(Break),
        "continue": _leaving(Continue),
        "return": _return,
        "iif": _iif,
    }
)
CORE: Mapping[str, Tag] = MappingProxyType({**_CONTROL, **DATA, **FAILURE, **OUTPUT})
"""The tags of the core, by their names without ``c:``."""
