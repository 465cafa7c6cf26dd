"""Short ways to build pieces of a syntax tree.

Rules: what is built has no place of its own; ``placed`` gives it that of the node it stands for, so a traceback shows
what the author wrote. Every name that is made up here begins with ``_``; no name of a script does.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TypeVar

_Node = TypeVar("_Node", bound=ast.AST)

_POSITIONED = (ast.expr, ast.stmt, ast.excepthandler, ast.arg, ast.keyword, ast.alias, ast.pattern)
LOAD = ast.Load()
STORE = ast.Store()
SCOPE = "_S"  # the parameter that holds the variables
TICKS = "_K"  # the iterator whose items cost a tick each
TICK = "_T"  # the function that takes one tick
BUDGET = "_B"
NAMESPACE = "_N"  # the table of names
VALUE = "_V"  # the value of the expression statement that ran last


def load(name: str) -> ast.Name:
    """Return the reading of a Python variable."""
    return ast.Name(name, LOAD)


def call(function: str, *arguments: ast.expr) -> ast.Call:
    """Return a call of one of the operations."""
    return ast.Call(load(function), list(arguments), [])


def constant(value: object) -> ast.Constant:
    """Return a constant."""
    return ast.Constant(value)  # type: ignore[arg-type] # any constant there is


def scope_variable(name: str, context: ast.expr_context) -> ast.Subscript:
    """Return the variable of that name in the scope."""
    return ast.Subscript(load(SCOPE), constant(name), context)


def assign(name: str, value: ast.expr) -> ast.Assign:
    """Return the assignment of a Python variable."""
    return ast.Assign([ast.Name(name, STORE)], value)


def type_is_in(value: ast.expr, kinds: str) -> ast.Compare:
    """Return the test whether the exact type of a value is one of a set of types."""
    return ast.Compare(call("type", value), [ast.In()], [load(kinds)])


def type_is(value: ast.expr, kind: str) -> ast.Compare:
    """Return the test whether a value is exactly of a type."""
    return ast.Compare(call("type", value), [ast.Is()], [load(kind)])


def type_is_number(first: ast.expr) -> ast.BoolOp:
    """Return the test whether a value is a number; ``first`` is a walrus that binds it."""
    value = first.target if isinstance(first, ast.NamedExpr) else first
    again = load(value.id) if isinstance(value, ast.Name) else value
    return ast.BoolOp(ast.Or(), [type_is(first, "int"), type_is(again, "float")])


def conjunction(*tests: ast.expr) -> ast.BoolOp:
    """Return the conjunction of tests."""
    return ast.BoolOp(ast.And(), list(tests))


def conditional(test: ast.expr, body: ast.expr, orelse: ast.expr) -> ast.IfExp:
    """Return ``body if test else orelse``."""
    return ast.IfExp(test, body, orelse)


def with_position(new: _Node, old: ast.AST) -> _Node:
    """Return ``new`` with the place of ``old`` wherever it has none."""
    line = getattr(old, "lineno", 1)
    column = getattr(old, "col_offset", 0)
    end_line = getattr(old, "end_lineno", None) or line
    end_column = getattr(old, "end_col_offset", None) or column
    todo: list[ast.AST] = [new]
    while todo:
        node = todo.pop()
        if hasattr(node, "lineno"):
            continue
        if isinstance(node, _POSITIONED):
            node.lineno, node.col_offset = line, column
            node.end_lineno, node.end_col_offset = end_line, end_column
        todo.extend(ast.iter_child_nodes(node))
    return new


def all_with_position(new: Iterable[_Node], old: ast.AST) -> list[_Node]:
    """Return each of the nodes with the place of ``old`` wherever it has none."""
    return [with_position(node, old) for node in new]
