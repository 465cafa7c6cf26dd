"""Functions that build small AST nodes for the emitters, and the names that are reserved in compiled scripts.

Rules: a new AST node has no position. ``with_position`` copies the position of the node that it replaces, so that a
traceback shows the text of the script. Every reserved name begins with ``_``; no name of a script does.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TypeVar

_Node = TypeVar("_Node", bound=ast.AST)

_POSITIONED = (ast.expr, ast.stmt, ast.excepthandler, ast.arg, ast.keyword, ast.alias, ast.pattern)
LOAD = ast.Load()
STORE = ast.Store()
SCOPE = "_S"  # the parameter for the scope
TICKS = "_K"  # the iterator of which each item consumes a tick of the budget
TICK = "_T"  # the function that consumes one tick
BUDGET = "_B"  # the budget of the evaluation
NAMESPACE = "_N"  # the parameter for the namespace
EXPLAIN = "_E"  # the parameter for the function that adds the location to an exception
LIMITS = "_L"  # the parameter for the limits of the budget
VALUE = "_V"  # the value of the expression statement that was executed last


def load(name: str) -> ast.Name:
    """Return the AST node that reads the Python variable ``name``."""
    return ast.Name(name, LOAD)


def call(function: str, *arguments: ast.expr) -> ast.Call:
    """Return the AST node of the call ``function(*arguments)``; ``function`` is the name of a Python variable."""
    return ast.Call(load(function), list(arguments), [])


def constant(value: object) -> ast.Constant:
    """Return the AST node of a literal with this value, such as ``5``, ``"a"`` or ``None``."""
    return ast.Constant(value)  # type: ignore[arg-type] # every value that a constant can have


def scope_variable(name: str, context: ast.expr_context) -> ast.Subscript:
    """Return the AST node of ``scope["name"]``, a variable of the scope.

    ``context`` states what is done with it: ``ast.Load()``, ``ast.Store()`` or ``ast.Del()``.
    """
    return ast.Subscript(load(SCOPE), constant(name), context)


def assign(name: str, value: ast.expr) -> ast.Assign:
    """Return the AST node that assigns ``value`` to the Python variable ``name``."""
    return ast.Assign([ast.Name(name, STORE)], value)


def type_is_in(value: ast.expr, kinds: str) -> ast.Compare:
    """Return the AST node of ``type(value) in kinds``; ``kinds`` is the name of a set of types."""
    return ast.Compare(call("type", value), [ast.In()], [load(kinds)])


def type_is(value: ast.expr, kind: str) -> ast.Compare:
    """Return the AST node of ``type(value) is kind``; ``kind`` is the name of the type."""
    return ast.Compare(call("type", value), [ast.Is()], [load(kind)])


def type_is_number(first: ast.expr) -> ast.BoolOp:
    """Return the AST node of ``type(x) is int or type(x) is float``: a test whether a value is exactly of these types.

    Parameters: ``first`` is the expression ``x``. It may be an assignment expression such as ``(t := f())``: the second
    half of the test then reads the variable ``t``, so that ``f()`` is evaluated only once.
    """
    value = first.target if isinstance(first, ast.NamedExpr) else first
    again = load(value.id) if isinstance(value, ast.Name) else value
    return ast.BoolOp(ast.Or(), [type_is(first, "int"), type_is(again, "float")])


def conjunction(*tests: ast.expr) -> ast.BoolOp:
    """Return the AST node of ``test and test and …``."""
    return ast.BoolOp(ast.And(), list(tests))


def conditional(test: ast.expr, body: ast.expr, orelse: ast.expr) -> ast.IfExp:
    """Return the AST node of ``body if test else orelse``."""
    return ast.IfExp(test, body, orelse)


def with_position(new: _Node, old: ast.AST) -> _Node:
    """Give each AST node inside ``new`` that has no position the position of the AST node ``old``, and return ``new``.

    A node that has a position already is skipped, with all nodes inside it.
    """
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
    """Apply ``with_position`` to each of the AST nodes ``new`` and return them as a list."""
    return [with_position(node, old) for node in new]
