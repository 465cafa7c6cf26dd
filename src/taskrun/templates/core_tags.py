"""Core tags for control flow, and the table of all core tags.

    <c:if test="${x > 1}">…</c:if>
    <c:choose><when test="${x}">…</when><otherwise>…</otherwise></c:choose>
    <c:for items="${rows}" var="row" index="i">…</c:for>     <c:for begin="1" end="3" var="n">…</c:for>
    <c:while test="${todo}">…<c:break/>…</c:while>
    <c:return value="${x}"/>     <c:iif test="${x}" then="${1}" else="${2}"/>

Rules: for each tag there is one function, which compiles an element to a template node. A variable that a tag sets
belongs to the step, or in a tag library to the library's tag. It still exists after the tag that set it has ended; the
variables of a loop keep their last value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from taskrun.syntax.node import Node
from taskrun.templates.attributes import collect_output, is_inverted, is_true
from taskrun.templates.closures import NO_VALUE, Break, Continue, Environment, Return, TemplateNode, no_op
from taskrun.templates.data_tags import DATA
from taskrun.templates.failure_tags import FAILURE
from taskrun.templates.output_tags import OUTPUT

if TYPE_CHECKING:
    from taskrun.templates.compile import Compiler

TagCompiler = Callable[["Compiler", Node], TemplateNode]
"""Function that compiles one core tag."""
LoopItems = Callable[[Environment], Iterable[Any]]
"""Function that returns the items of a loop."""


def _if(compiler: Compiler, node: Node) -> TemplateNode:
    """Compile ``<c:if>``: run the content if the test is true."""
    compiler.check_attributes(node, "test")
    test, inside, turned = compiler.expression(node, "test"), compiler.body(node), is_inverted(compiler, node)

    async def run(env: Environment) -> Any:
        assert test is not None  # noqa: S101 - a missing test was reported
        return await inside(env) if is_true(test.run(env.scope), inverted=turned) else NO_VALUE

    return run


def _choose(compiler: Compiler, node: Node) -> TemplateNode:
    """Compile ``<c:choose>``: run the content of the first ``<when>`` whose test is true, else of ``<otherwise>``."""
    compiler.check_attributes(node)
    branches: list[tuple[Any, bool, TemplateNode]] = []
    otherwise: TemplateNode | None = None
    for child in node.children:
        tag = child.tag.removeprefix("c:")
        if tag == "when" and otherwise is None:
            compiler.check_attributes(child, "test", "xpl:invert", xpl=False)
            branches.append((compiler.expression(child, "test"), is_inverted(compiler, child), compiler.body(child)))
        elif tag == "otherwise" and otherwise is None:
            compiler.check_attributes(child, xpl=False)
            otherwise = compiler.body(child)
        else:
            hint = "it contains <when> elements, then at most one <otherwise>"
            compiler.report(child, "unknown-tag", f"<{child.tag}> is not possible here in <c:choose>", hint=hint)
    if not branches or node.text.strip():
        compiler.report(
            node, "missing-element", "<c:choose> needs a <when>", hint="write text into <when> or <otherwise>"
        )

    async def run(env: Environment) -> Any:
        for test, turned, inside in branches:
            if is_true(test.run(env.scope), inverted=turned):
                return await inside(env)
        return NO_VALUE if otherwise is None else await otherwise(env)

    return run


def _for(compiler: Compiler, node: Node) -> TemplateNode:
    """Compile ``<c:for>``: run the content for each item of ``items``, or for each number from ``begin`` to ``end``."""
    compiler.check_attributes(node, "items", "var", "index", "begin", "end", "step")
    items = _numbers(compiler, node) if "items" not in node.attributes else _items(compiler, node)
    compiler.bind_variables(node, "var", "index")
    var, index = node.attributes.get("var"), node.attributes.get("index")
    inside = compiler.in_loop().body(node)

    async def run(env: Environment) -> Any:
        for position, value in enumerate(items(env)):
            env.budget.charge(1)
            if var:
                env.scope[var] = value
            if index:
                env.scope[index] = position
            if not await _run_iteration(env, inside):
                break
        return NO_VALUE

    return run


async def _run_iteration(env: Environment, inside: TemplateNode) -> bool:
    """Run the content of a loop once; return False if ``c:break`` ended the loop, else True."""
    try:
        await inside(env)
    except Break:
        return False
    except Continue:
        return True
    return True


def _items(compiler: Compiler, node: Node) -> LoopItems:
    """Return a function of the environment that returns the items of ``<c:for items="…">``.

    These are the items of a list or another iterable, the pairs of key and value of a map, and none for null.
    """
    for name in ("begin", "end", "step"):
        if name in node.attributes:
            compiler.report(node, "no-meaning", f"{name} cannot be used together with items", attribute=name)
    items = compiler.expression(node, "items")

    def read(env: Environment) -> Iterable[Any]:
        value = items.run(env.scope) if items is not None else None
        if value is None:
            return ()
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise TypeError(f"<c:for> at {node.at}: items is {type(value).__name__}, which is no list")
        return list(value.items()) if isinstance(value, Mapping) else value

    return read


def _numbers(compiler: Compiler, node: Node) -> LoopItems:
    """Return a function of the environment that returns the numbers of ``<c:for begin="…" end="…" step="…">``.

    ``end`` itself is included.
    """
    given = {name: compiler.expression(node, name, needed=False) for name in ("begin", "end", "step")}
    if given["end"] is None:
        compiler.report(node, "missing-attribute", "<c:for> needs items, or begin and end")

    def number(env: Environment, name: str, default: int) -> int:
        script = given[name]
        value = default if script is None else script.run(env.scope)
        if isinstance(value, str) and value.strip().lstrip("+-").isdigit():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"<c:for> at {node.at}: {name}={value!r} is no whole number")
        return value

    def read(env: Environment) -> Iterable[Any]:
        first, last, step = number(env, "begin", 0), number(env, "end", 0), number(env, "step", 1)
        if step == 0:
            raise ValueError(f"<c:for> at {node.at}: step is 0")
        return range(first, last + (1 if step > 0 else -1), step)

    return read


def _while(compiler: Compiler, node: Node) -> TemplateNode:
    """Compile ``<c:while>``: run the content as long as the test is true."""
    compiler.check_attributes(node, "test")
    test, turned = compiler.expression(node, "test"), is_inverted(compiler, node)
    inside = compiler.in_loop().body(node)

    async def run(env: Environment) -> Any:
        assert test is not None  # noqa: S101 - a missing test was reported
        while is_true(test.run(env.scope), inverted=turned):
            env.budget.charge(1)
            if not await _run_iteration(env, inside):
                break
        return NO_VALUE

    return run


def _raising(error: type[Break | Continue]) -> TagCompiler:
    """Return the function that compiles ``<c:break>`` or ``<c:continue>``: at run time the tag raises ``error``."""

    def compile_tag(compiler: Compiler, node: Node) -> TemplateNode:
        compiler.check_attributes(node)
        compiler.check_empty(node)
        if not compiler.loops:
            compiler.report(node, "no-meaning", f"<{node.tag}> is outside of a loop", hint="use it in c:for or c:while")

        async def run(_env: Environment) -> Any:
            raise error

        return run

    return compile_tag


def _return(compiler: Compiler, node: Node) -> TemplateNode:
    """Compile ``<c:return>``: end the template, tag body or slot body that contains it with a value.

    The value is that of the attribute ``value`` or of the content.
    """
    compiler.check_attributes(node, "value")
    value = compiler.template(node, "value") if "value" in node.attributes else None
    if value is not None:
        compiler.check_empty(node)
    filled = bool(node.children or node.text.strip())
    inside = no_op if value is not None or not filled else collect_output(compiler.body(node), compiler.mode)

    async def run(env: Environment) -> Any:
        result = await inside(env) if value is None else value.run(env.scope)
        raise Return(None if result is NO_VALUE else result, node)

    return run


def _iif(compiler: Compiler, node: Node) -> TemplateNode:
    """Compile ``<c:iif>``: its value is that of ``then`` if the test is true, else that of ``else``."""
    compiler.check_attributes(node, "test", "then", "else")
    compiler.check_empty(node)
    test, turned = compiler.expression(node, "test"), is_inverted(compiler, node)
    yes, no = (compiler.template(node, name) if name in node.attributes else None for name in ("then", "else"))

    async def run(env: Environment) -> Any:
        assert test is not None  # noqa: S101 - a missing test was reported
        chosen = yes if is_true(test.run(env.scope), inverted=turned) else no
        value = None if chosen is None else chosen.run(env.scope)
        return env.emit_or_return(value, node)

    return run


_CONTROL: Mapping[str, TagCompiler] = MappingProxyType(
    {
        "if": _if,
        "choose": _choose,
        "for": _for,
        "while": _while,
        "break": _raising(Break),
        "continue": _raising(Continue),
        "return": _return,
        "iif": _iif,
    }
)
CORE: Mapping[str, TagCompiler] = MappingProxyType({**_CONTROL, **DATA, **FAILURE, **OUTPUT})
"""The functions that compile the core tags, by the tags without ``c:``."""
