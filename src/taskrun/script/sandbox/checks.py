"""Static checks of a script: the allow list of Python syntax, names and attributes.

Rules: every type of AST node that is not listed here is refused before the script runs. All problems of a text are
reported together. Names that begin with ``_`` are refused, because Python's internals have such names; ``_`` alone may
be assigned but not read.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from taskrun.script.limits import Limits
from taskrun.script.problems import FORBIDDEN, SYNTAX, UNSUPPORTED, Problem, ProblemsError
from taskrun.script.sandbox.guard import refused_attribute
from taskrun.script.sandbox.misplaced_statements import CHECKED, misplaced_nodes

Place = Callable[[int, int], int]

STATEMENTS: tuple[type[ast.AST], ...] = (
    ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete, ast.If, ast.For, ast.While, ast.Break,
    ast.Continue, ast.Pass, ast.Return, ast.Try, ast.Raise, ast.Assert, ast.With, ast.FunctionDef, ast.Match,
)  # fmt: skip
EXPRESSIONS: tuple[type[ast.AST], ...] = (
    ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Starred, ast.Call, ast.BinOp, ast.UnaryOp,
    ast.BoolOp, ast.Compare, ast.IfExp, ast.NamedExpr, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.ListComp,
    ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda, ast.JoinedStr, ast.FormattedValue, ast.Await,
)  # fmt: skip
_PARTS = frozenset({ast.comprehension, ast.ExceptHandler, ast.arguments, ast.arg, ast.keyword, ast.withitem}) | {
    ast.match_case, ast.MatchValue, ast.MatchSingleton, ast.MatchSequence, ast.MatchMapping, ast.MatchClass,
    ast.MatchStar, ast.MatchAs, ast.MatchOr,
}  # fmt: skip
_SIGNS = (ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context)
_ALLOWED = frozenset(STATEMENTS + EXPRESSIONS)

_USE_MODULE = "write it in a module of your own and call it from an <invoke> or <invoke-static> step"
_NO_IMPORT = "scripts use the names of the namespace without importing them; for other code: " + _USE_MODULE
_ASYNC = "call async functions from an <invoke> step"
_REPLACEMENTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "ClassDef": ("class", "use a dict, or " + _USE_MODULE),
        "AsyncFunctionDef": ("async def", _ASYNC),
        "AsyncFor": ("async for", _ASYNC),
        "AsyncWith": ("async with", _ASYNC),
        "Yield": ("yield", "build a list and return it"),
        "YieldFrom": ("yield from", "build a list and return it"),
        "Import": ("import", _NO_IMPORT),
        "ImportFrom": ("import", _NO_IMPORT),
        "Global": ("global", "return the value from the function and assign it outside"),
        "Nonlocal": ("nonlocal", "return the value from the function and assign it outside"),
        "TryStar": ("except*", "use except, and read the members from .exceptions"),
    }
)


def check_tree(body: list[ast.stmt], place: Place, limits: Limits) -> None:
    """Check the statements of a script; raises ProblemsError with all problems.

    Problems are unsupported syntax, refused names and attributes, and exceeded limits. ``place`` converts a position in
    the syntax tree (line, column in bytes) to an index in the text.
    """
    problems: list[Problem] = []
    parts = 0
    kinds: set[type[ast.AST]] = set()
    todo: list[tuple[ast.AST, int]] = [(statement, 1) for statement in body]
    while todo:
        node, depth = todo.pop()
        kind = type(node)
        kinds.add(kind)
        if kind in _ALLOWED:
            parts += 1
            depth += 1
        elif kind not in _PARTS:
            name, hint = _REPLACEMENTS.get(kind.__name__, (kind.__name__, ""))
            problems.append(Problem(_at(node, place), UNSUPPORTED, f"'{name}' is not possible in a script", hint))
            continue
        if depth > limits.source_depth + 1:
            message = f"the script is nested more than {limits.source_depth} deep"
            problems.append(Problem(_at(node, place), SYNTAX, message, "give parts of it names: x = …"))
            break
        problems.extend(_own_problems(node, place))
        todo.extend((child, depth) for child in _children(node))
    if parts > limits.source_nodes:
        message = f"the script has {parts:,} parts; {limits.source_nodes:,} are allowed"
        problems.append(Problem(0, SYNTAX, message, _USE_MODULE))
    if not problems and not kinds.isdisjoint(CHECKED):
        found = misplaced_nodes(body)
        problems.extend(Problem(_at(node, place), SYNTAX, f"not valid Python: {message}") for node, message in found)
    if problems:
        raise ProblemsError(problems)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the children of an AST node that must be checked.

    Operators such as ``+`` are left out, because they are always allowed; so are annotations, which are never
    evaluated.
    """
    for field in node._fields:
        value = getattr(node, field, None)
        if isinstance(value, list):
            yield from (part for part in value if isinstance(part, ast.AST) and not isinstance(part, _SIGNS))
        elif isinstance(value, ast.AST) and not isinstance(value, _SIGNS) and field not in {"annotation", "returns"}:
            yield value


def _own_problems(node: ast.AST, place: Place) -> Iterator[Problem]:  # noqa: C901, PLR0912 - a table of nodes
    """Yield the problems of an AST node itself, such as a refused name; its children are not looked at."""
    match node:
        case ast.Name():
            yield from _name_problems(node.id, node, place, binds=not isinstance(node.ctx, ast.Load))
        case ast.Call(func=ast.Name(id="exec" | "eval" as called)):
            yield Problem(_at(node, place), FORBIDDEN, f"a call of '{called}' is refused", _USE_MODULE)
        case ast.Attribute():
            yield from _attribute_problems(node, place)
        case ast.arg() | ast.keyword():
            yield from _name_problems(node.arg or "", node, place, binds=isinstance(node, ast.arg))
        case ast.ExceptHandler():
            yield from _name_problems(node.name or "", node, place, binds=True)
        case ast.MatchAs() | ast.MatchStar():
            yield from _name_problems(node.name or "", node, place, binds=True)
        case ast.MatchMapping():
            yield from _name_problems(node.rest or "", node, place, binds=True)
        case ast.MatchClass():
            for name in node.kwd_attrs:
                if reason := refused_attribute(name):
                    message = f"the attribute '{name}' is refused"
                    yield Problem(_at(node, place), FORBIDDEN, message, reason)
        case ast.FunctionDef():
            yield from _name_problems(node.name, node, place, binds=True)
            for decorator in node.decorator_list:
                hint = f"write {node.name} = …({node.name}) below it"
                yield Problem(_at(decorator, place), UNSUPPORTED, "a decorator is not possible in a script", hint)
        case ast.comprehension(is_async=1):
            yield Problem(_at(node.target, place), UNSUPPORTED, "'async for' is not possible in a script", _ASYNC)
        case _:
            return


def _name_problems(name: str, node: ast.AST, place: Place, *, binds: bool) -> Iterator[Problem]:
    """Yield a problem if a script may not use a name.

    ``binds`` tells whether the AST node assigns the name, which is the only allowed use of ``_``.
    """
    if not name.startswith("_") or (name == "_" and binds):
        return
    message = "'_' is never stored and cannot be read" if name == "_" else f"the name '{name}' is refused"
    hint = "choose another name" if name == "_" else "names in a script do not begin with '_'"
    yield Problem(_at(node, place), FORBIDDEN, message, hint)


def _attribute_problems(node: ast.Attribute, place: Place) -> Iterator[Problem]:
    """Yield a problem if a script reads an attribute with a refused name, or writes or deletes any attribute."""
    index = place(node.end_lineno or 1, (node.end_col_offset or 0) - len(node.attr.encode()))
    if not isinstance(node.ctx, ast.Load):
        hint = f"items can be written: x['{node.attr}'] = …; for objects call one of their methods"
        yield Problem(index, FORBIDDEN, f"the attribute '{node.attr}' cannot be written or deleted", hint)
    elif reason := refused_attribute(node.attr):
        yield Problem(index, FORBIDDEN, f"the attribute '{node.attr}' is refused", reason)
    elif node.attr in {"format", "format_map"} and isinstance(node.value, (ast.Constant, ast.JoinedStr)):
        yield Problem(index, FORBIDDEN, f"the attribute '{node.attr}' of text is refused", "use f'…{value}…'")


def _at(node: ast.AST, place: Place) -> int:
    """Return the index in the script text at which an AST node starts."""
    return place(getattr(node, "lineno", 1), getattr(node, "col_offset", 0))
