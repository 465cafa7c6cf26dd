"""What the grammar of Python allows, and Python nevertheless refuses: a construct in the wrong place.

Rules: these are the errors that Python finds while it compiles a tree, with Python's messages. They are found here
because compiling also warns, which is a matter of the whole process. ``return`` may stand anywhere in a script.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from taskrun.script.variables import COMPREHENSIONS, defaults, iteration_names, parameters


class _Around(NamedTuple):
    """What is around a node: a loop, an except block, comprehensions with their variables, the iterable of one.

    ``called`` is whether it belongs to a function or generator expression, which runs when somebody calls it.
    """

    loop: bool = False
    handler: bool = False
    iterated: frozenset[str] = frozenset()
    iterable: bool = False
    called: bool = False


_Placed = tuple[ast.AST, _Around]


def misplaced(body: Iterable[ast.stmt]) -> Iterator[tuple[ast.AST, str]]:
    """Yield each node that stands where Python refuses it, and what is wrong."""
    todo: list[_Placed] = [(statement, _Around()) for statement in body]
    spread: set[int] = set()
    while todo:
        node, around = todo.pop()
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            spread.update(map(id, node.elts))
        elif isinstance(node, ast.Call):
            spread.update(map(id, node.args))
        elif isinstance(node, ast.Starred) and id(node) not in spread:
            yield node, "can't use starred expression here"
        yield from _refused(node, around)
        todo.extend(_inside(node, around))


def _refused(  # noqa: C901, PLR0912 - a table of nodes
    node: ast.AST, around: _Around
) -> Iterator[tuple[ast.AST, str]]:
    match node:
        case ast.Break() | ast.Continue() if not around.loop:
            yield node, f"'{type(node).__name__.lower()}' outside loop"
        case ast.Await() if around.called:
            yield node, "'await' inside a function or a generator expression"
        case ast.Match():
            yield from _patterns(node)
        case ast.Raise(exc=None) if not around.handler:
            yield node, "'raise' without an exception is possible in an except block only"
        case ast.NamedExpr():
            if around.iterable:
                yield node, "assignment expression cannot be used in a comprehension iterable expression"
            elif node.target.id in around.iterated:
                yield node, f"assignment expression cannot rebind comprehension iteration variable '{node.target.id}'"
        case ast.Tuple(ctx=ast.Store()) | ast.List(ctx=ast.Store()):
            if around.iterated and any(
                isinstance(part, (ast.Tuple, ast.List)) and _stars(part.elts) for part in node.elts
            ):
                yield node, "a star inside of a target inside of another, in a comprehension: take it apart in a loop"
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


def _patterns(node: ast.Match) -> Iterator[tuple[ast.AST, str]]:
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
    if isinstance(part, (ast.MatchAs, ast.MatchStar)):
        return part.name
    return part.rest if isinstance(part, ast.MatchMapping) else None


def _matches_all(pattern: ast.pattern) -> bool:
    if isinstance(pattern, ast.MatchAs):
        return pattern.pattern is None or _matches_all(pattern.pattern)
    return isinstance(pattern, ast.MatchOr) and _matches_all(pattern.patterns[-1])


def _stars(nodes: Iterable[ast.expr]) -> list[ast.expr]:
    return [node for node in nodes if isinstance(node, ast.Starred)]


def _repeated(named: Iterable[tuple[str, ast.AST]], message: str) -> Iterator[tuple[ast.AST, str]]:
    seen: set[str] = set()
    for name, node in named:
        if name and name in seen:
            yield node, message.format(name)
        seen.add(name)


def _inside(node: ast.AST, around: _Around) -> Iterator[_Placed]:
    """Yield the parts of a node, each with what is around it."""
    if isinstance(node, (ast.For, ast.While)):
        yield from ((statement, around._replace(loop=True)) for statement in node.body)
        yield from ((statement, around) for statement in node.orelse)
        yield from [(node.iter, around), (node.target, around)] if isinstance(node, ast.For) else [(node.test, around)]
    elif isinstance(node, (ast.FunctionDef, ast.Lambda)):
        body: Iterable[ast.AST] = node.body if isinstance(node, ast.FunctionDef) else [node.body]
        yield from ((part, _Around(called=True)) for part in body)
        yield from ((default, around) for default in defaults(node))
    elif isinstance(node, COMPREHENSIONS):
        called = around.called or isinstance(node, ast.GeneratorExp)
        within = around._replace(iterated=around.iterated | iteration_names(node), called=called)
        for generator in node.generators:
            outermost = generator is node.generators[0]
            yield generator.iter, within._replace(iterable=True, called=around.called if outermost else called)
            yield generator.target, within
            yield from ((condition, within) for condition in generator.ifs)
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        yield from ((result, within) for result in results)
    else:
        inner = around._replace(handler=True) if isinstance(node, ast.ExceptHandler) else around
        yield from ((part, inner) for part in ast.iter_child_nodes(node))
