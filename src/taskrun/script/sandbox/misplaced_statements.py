"""Syntax errors that Python's parser accepts and its compiler refuses, such as ``break`` outside a loop.

Rules: the messages are Python's. The errors are found here and not by Python's compiler, because that would also emit
warnings, whose filters belong to the whole process. ``return`` is allowed anywhere in a script.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from taskrun.script.variables import COMPREHENSIONS, defaults, iteration_names, parameters

CHECKED: frozenset[type[ast.AST]] = frozenset(
    {
        *(ast.Break, ast.Continue, ast.Await, ast.Match, ast.Raise, ast.Try, ast.NamedExpr),
        *(ast.Starred, ast.keyword, ast.FunctionDef, ast.Lambda),
    }
)
"""The types of AST nodes that can cause an error; a script without any of them has none."""


class _Context(NamedTuple):
    """Surroundings of an AST node, which determine whether it is allowed there.

    Attributes:
        loop: Whether the node is in the body of a loop.
        handler: Whether the node is in an ``except`` block.
        iterated: The iteration variables of the enclosing comprehensions.
        iterable: Whether the node belongs to the iterable of a comprehension: ``xs`` in ``[x for x in xs]``.
        called: Whether the node belongs to a function or generator expression, whose code runs later.
    """

    loop: bool = False
    handler: bool = False
    iterated: frozenset[str] = frozenset()
    iterable: bool = False
    called: bool = False


_Placed = tuple[ast.AST, _Context]


def misplaced_nodes(body: Iterable[ast.stmt]) -> Iterator[tuple[ast.AST, str]]:
    """Yield each AST node of a script that is not allowed at its place, with the error message."""
    todo: list[_Placed] = [(statement, _Context()) for statement in body]
    spread: set[int] = set()
    while todo:
        node, context = todo.pop()
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            spread.update(map(id, node.elts))
        elif isinstance(node, ast.Call):
            spread.update(map(id, node.args))
        elif isinstance(node, ast.Starred) and id(node) not in spread:
            yield node, "can't use starred expression here"
        yield from _node_errors(node, context)
        todo.extend(_children(node, context))


def _node_errors(  # noqa: C901, PLR0912 - a table of nodes
    node: ast.AST, context: _Context
) -> Iterator[tuple[ast.AST, str]]:
    """Yield the errors of one AST node with the surroundings ``context``: the wrong AST node and the message."""
    match node:
        case ast.Break() | ast.Continue() if not context.loop:
            yield node, f"'{type(node).__name__.lower()}' outside loop"
        case ast.Await() if context.called:
            yield node, "'await' inside a function or a generator expression"
        case ast.Match():
            yield from _pattern_errors(node)
        case ast.Raise(exc=None) if not context.handler:
            yield node, "'raise' without an exception is possible in an except block only"
        case ast.NamedExpr():
            if context.iterable:
                yield node, "assignment expression cannot be used in a comprehension iterable expression"
            elif node.target.id in context.iterated:
                yield node, f"assignment expression cannot rebind comprehension iteration variable '{node.target.id}'"
        case ast.Tuple(ctx=ast.Store()) | ast.List(ctx=ast.Store()):
            if context.iterated and any(
                isinstance(part, (ast.Tuple, ast.List)) and _stars(part.elts) for part in node.elts
            ):
                yield node, "a starred target inside a nested target of a comprehension is not supported; use a loop"
            yield from ((star, "multiple starred expressions in assignment") for star in _stars(node.elts)[1:])
        case ast.Call():
            yield from _repeated([(word.arg or "", word) for word in node.keywords], "keyword argument repeated: {}")
        case ast.FunctionDef() | ast.Lambda():
            named: list[tuple[str, ast.AST]] = [(parameter.arg, parameter) for parameter in parameters(node.args)]
            yield from _repeated(named, "duplicate argument '{}' in function definition")
        case ast.Try():
            yield from ((last, "default 'except:' must be last") for last in node.handlers[:-1] if last.type is None)
        case _:
            return


def _pattern_errors(node: ast.Match) -> Iterator[tuple[ast.AST, str]]:
    """Yield the errors of the patterns of a ``match`` statement, each as the wrong AST node and the message."""
    for case in node.cases:
        if case is not node.cases[-1] and case.guard is None and _matches_all(case.pattern):
            yield case.pattern, "this pattern matches everything and makes the remaining ones unreachable"
        captured = [name for part in ast.walk(case.pattern) if (name := _captured(part))]
        alternatives = [part for part in ast.walk(case.pattern) if isinstance(part, ast.MatchOr)]
        if not alternatives and len(set(captured)) < len(captured):
            yield case.pattern, "multiple assignments to one name in a pattern"
        for part in alternatives:
            if len({frozenset(filter(None, map(_captured, ast.walk(way)))) for way in part.patterns}) > 1:
                yield part, "alternative patterns bind different names"


def _captured(part: ast.AST) -> str | None:
    """Return the name to which a part of a pattern assigns a value, or None if it assigns none."""
    if isinstance(part, (ast.MatchAs, ast.MatchStar)):
        return part.name
    return part.rest if isinstance(part, ast.MatchMapping) else None


def _matches_all(pattern: ast.pattern) -> bool:
    """Return whether a pattern matches every value, such as ``_`` or a plain name."""
    if isinstance(pattern, ast.MatchAs):
        return pattern.pattern is None or _matches_all(pattern.pattern)
    return isinstance(pattern, ast.MatchOr) and _matches_all(pattern.patterns[-1])


def _stars(nodes: Iterable[ast.expr]) -> list[ast.expr]:
    """Return those of the AST nodes that are starred expressions, such as ``*rest``."""
    return [node for node in nodes if isinstance(node, ast.Starred)]


def _repeated(named: Iterable[tuple[str, ast.AST]], message: str) -> Iterator[tuple[ast.AST, str]]:
    """Yield an error for each name in ``named`` that occurs again.

    ``named`` are pairs of a name and its AST node. The ``{}`` in ``message`` is replaced by the name.
    """
    seen: set[str] = set()
    for name, node in named:
        if name and name in seen:
            yield node, message.format(name)
        seen.add(name)


def _children(node: ast.AST, context: _Context) -> Iterator[_Placed]:
    """Yield the children of an AST node, each with its surroundings."""
    if isinstance(node, (ast.For, ast.While)):
        yield from ((statement, context._replace(loop=True)) for statement in node.body)
        yield from ((statement, context) for statement in node.orelse)
        yield from (
            [(node.iter, context), (node.target, context)] if isinstance(node, ast.For) else [(node.test, context)]
        )
    elif isinstance(node, (ast.FunctionDef, ast.Lambda)):
        body: Iterable[ast.AST] = node.body if isinstance(node, ast.FunctionDef) else [node.body]
        yield from ((part, _Context(called=True)) for part in body)
        yield from ((default, context) for default in defaults(node))
    elif isinstance(node, COMPREHENSIONS):
        called = context.called or isinstance(node, ast.GeneratorExp)
        within = context._replace(iterated=context.iterated | iteration_names(node), called=called)
        for generator in node.generators:
            outermost = generator is node.generators[0]
            yield generator.iter, within._replace(iterable=True, called=context.called if outermost else called)
            yield generator.target, within
            yield from ((condition, within) for condition in generator.ifs)
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        yield from ((result, within) for result in results)
    else:
        inner = context._replace(handler=True) if isinstance(node, ast.ExceptHandler) else context
        yield from ((part, inner) for part in ast.iter_child_nodes(node))
