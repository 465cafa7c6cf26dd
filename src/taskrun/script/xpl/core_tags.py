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

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from taskrun.script.xpl.attributes import inverted, truth
from taskrun.script.xpl.data_tags import DATA
from taskrun.script.xpl.failure_tags import FAILURE
from taskrun.script.xpl.output_tags import OUTPUT
from taskrun.script.xpl.piece import NOTHING, Break, Continue, Environment, Piece, Return
from taskrun.syntax.node import TEXT, Node

if TYPE_CHECKING:
    from taskrun.script.xpl.compile import Compiler

Tag = Callable[["Compiler", Node], Piece]


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
        if tag == "when":
            compiler.only(child, "test")
            branches.append((compiler.expression(child, "test"), inverted(compiler, child), compiler.body(child)))
        elif tag == "otherwise" and otherwise is None:
            compiler.only(child)
            otherwise = compiler.body(child)
        elif child.tag != TEXT or child.text.strip():
            compiler.note(
                child, "unknown-tag", f"<{child.tag}> is not known in <c:choose>", hint="<when>, one <otherwise>"
            )

    async def run(env: Environment) -> Any:
        for test, turned, inside in branches:
            if truth(test.run(env.scope), inverted=turned):
                return await inside(env)
        return NOTHING if otherwise is None else await otherwise(env)

    return run


def _for(compiler: Compiler, node: Node) -> Piece:
    compiler.only(node, "items", "var", "index", "begin", "end", "step")
    counted = "items" not in node.attributes
    items = compiler.expression(node, "items", needed=False)
    begin, end, step = (compiler.expression(node, name, needed=False) for name in ("begin", "end", "step"))
    if counted and end is None:
        compiler.note(node, "missing-attribute", "<c:for> needs items, or begin and end")
    elif not counted and (begin or end or step):
        compiler.note(node, "no-meaning", "begin, end and step count; items has its own", attribute="items")
    var, index = node.attributes.get("var"), node.attributes.get("index")
    for name in filter(None, (var, index)):
        compiler.bind(name)
    inside = compiler.in_loop().body(node)

    def values(env: Environment) -> Iterator[Any]:
        if not counted:
            found = items.run(env.scope) if items is not None else None
            return iter(found.items() if isinstance(found, Mapping) else () if found is None else found)
        first = begin.run(env.scope) if begin is not None else 0
        last = end.run(env.scope) if end is not None else -1
        pace = step.run(env.scope) if step is not None else 1
        first, last, pace = int(first), int(last), int(pace)
        return iter(range(first, last + (1 if pace > 0 else -1), pace))

    async def run(env: Environment) -> Any:
        for position, value in enumerate(values(env)):
            env.budget.charge(1)
            if var:
                env.scope[var] = value
            if index:
                env.scope[index] = position
            try:
                await inside(env)
            except Break:
                break
            except Continue:
                continue
        return NOTHING

    return run


def _while(compiler: Compiler, node: Node) -> Piece:
    compiler.only(node, "test")
    test, turned = compiler.expression(node, "test"), inverted(compiler, node)
    inside = compiler.in_loop().body(node)

    async def run(env: Environment) -> Any:
        assert test is not None  # noqa: S101 - noted
        while truth(test.run(env.scope), inverted=turned):
            env.budget.charge(1)
            try:
                await inside(env)
            except Break:
                break
            except Continue:
                continue
        return NOTHING

    return run


def _leaving(error: type[Break | Continue]) -> Tag:
    def make(compiler: Compiler, node: Node) -> Piece:
        compiler.only(node)
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
    inside = compiler.body(node)

    async def run(env: Environment) -> Any:
        given = await inside(env) if value is None else value.run(env.scope)
        raise Return(None if given is NOTHING else given)

    return run


def _iif(compiler: Compiler, node: Node) -> Piece:
    compiler.only(node, "test", "then", "else")
    test, turned = compiler.expression(node, "test"), inverted(compiler, node)
    yes, no = (compiler.template(node, name) if name in node.attributes else None for name in ("then", "else"))

    async def run(env: Environment) -> Any:
        assert test is not None  # noqa: S101 - noted
        chosen = yes if truth(test.run(env.scope), inverted=turned) else no
        value = None if chosen is None else chosen.run(env.scope)
        if env.out.mode != "none":
            env.out.value(value, node)
        return value

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
