"""Base of the emitters: calls ``visit_<Node>`` for AST nodes, resolves names and creates temporary variables.

Rules: a name is resolved as in Python. Inside a function or comprehension that binds it, it is a Python variable;
everywhere else it is a variable of the scope or, if there is none, a name of the namespace. Python allows no assignment
expression in the iterable of a comprehension, so there ``new_temporary`` returns None.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any

from taskrun.script.compiler.ast_builders import (
    NAMESPACE,
    SCOPE,
    STORE,
    all_with_position,
    call,
    constant,
    load,
    scope_variable,
    with_position,
)
from taskrun.script.ir import LocalName, ScopeName


class Emitter:
    """Base class that replaces the AST nodes of a script by guarded ones; ``visit_<Node>`` replaces one kind of node.

    Parameters: ``namespace`` are the names of the namespace that the script reads; with ``lenient`` an unknown variable
    reads as None instead of raising.
    """

    def __init__(self, namespace: frozenset[str], *, lenient: bool) -> None:
        self.namespace = namespace
        self.lenient = lenient
        self.local_names: list[frozenset[str]] = []
        self.function_depths: list[int] = []  # number of levels around each function body
        self.iterable_depth: int = 0
        self.temporary_count: int = 0
        self.needs_budget: bool = False  # whether the program can run for long

    def require_budget(self, required: bool = True) -> None:
        """Record that the script can run for long, so that the compiled function creates and checks a budget."""
        self.needs_budget = self.needs_budget or required

    def visit(self, node: Any) -> Any:
        """Return the replacement of an AST node: an expression; for a statement, one statement or a list of them."""
        handler: Callable[[Any], Any] | None = getattr(self, "visit_" + node.__class__.__name__, None)
        if handler is None:
            self.visit_children(node)
            return node
        new = handler(node)
        if isinstance(new, list):
            return all_with_position(new, node)
        return new if new is node else with_position(new, node)

    def visit_children(self, node: ast.AST) -> None:
        """Replace the children of an AST node in place."""
        for field in node._fields:
            value = getattr(node, field, None)
            if isinstance(value, list):
                setattr(node, field, [self.visit(part) if isinstance(part, ast.AST) else part for part in value])
            elif isinstance(value, ast.AST) and value._fields:
                setattr(node, field, self.visit(value))

    def visit_all(self, nodes: Iterable[ast.AST]) -> list[Any]:
        """Return the replacements of several AST nodes."""
        return [self.visit(node) for node in nodes]

    def new_temporary(self) -> str | None:
        """Return the name of a new temporary variable; None inside the iterable of a comprehension.

        Python forbids the assignment expression there that would set the variable.
        """
        if self.iterable_depth:
            return None
        self.temporary_count += 1
        return f"_t{self.temporary_count}"

    def visit_iterable(self, node: ast.expr) -> Any:
        """Return the replacement of the iterable of a comprehension, in which no temporary variables are used."""
        self.iterable_depth += 1
        new = self.visit(node)
        self.iterable_depth -= 1
        return new

    def is_local(self, name: str, depth: int | None = None) -> bool:
        """Return whether an enclosing function or comprehension binds ``name``.

        Only the ``depth`` outermost of them are searched; None means all.
        """
        return name == "_" or any(name in names for names in self.local_names[:depth])

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Return the AST of a variable: a Python variable where ``name`` is local, else a variable of the scope."""
        return node if self.is_local(node.id) else self.visit_ScopeName(node)

    def visit_LocalName(self, node: LocalName) -> ast.expr:
        """Return the Python variable for a name that the translator of XScript declared as local."""
        return ast.Name(node.id, node.ctx)

    def visit_ScopeName(self, node: ScopeName | ast.Name) -> ast.expr:
        """Return the AST that accesses a variable of the scope or, if there is none, a name of the namespace."""
        if not isinstance(node.ctx, ast.Load):
            return scope_variable(node.id, node.ctx)
        if node.id in self.namespace:
            from_scope_or_namespace = call("_variable_or_name", load(SCOPE), load(NAMESPACE), constant(node.id))
            is_own_variable = ast.Compare(constant(node.id), [ast.In()], [load(SCOPE)])
            return ast.IfExp(is_own_variable, scope_variable(node.id, node.ctx), from_scope_or_namespace)
        if self.lenient:
            return call("_variable_or_none", load(SCOPE), constant(node.id))
        return scope_variable(node.id, node.ctx)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.expr:
        """Replace an assignment expression; in a comprehension it assigns to the enclosing function or scope."""
        value = self.visit(node.value)
        if isinstance(node.target, LocalName):
            return ast.NamedExpr(ast.Name(node.target.id, STORE), value)
        name = node.target.id
        if isinstance(node.target, ScopeName) or not self.is_local(
            name, self.function_depths[-1] if self.function_depths else 0
        ):
            return call("_assign_variable", load(SCOPE), constant(name), value)
        return ast.NamedExpr(ast.Name(name, STORE), value)
