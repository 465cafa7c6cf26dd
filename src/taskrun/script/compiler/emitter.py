"""What the handlers of all nodes share: where a variable lives, temporary variables, the way from a node to a handler.

Rules: a name is looked up as Python does. Inside a function or comprehension that binds it, it is a Python variable;
everywhere else it is a variable of the scope, or, when there is none, one of the table of names. Walrus temporaries
are not possible in the iterable of a comprehension: there ``temporary`` says no.
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
    """Turns nodes into guarded nodes; a handler is a method ``visit_<Node>``.

    Parameters: ``table`` are the names of the table that the program reads, ``lenient`` makes an unknown variable null.
    """

    def __init__(self, namespace: frozenset[str], *, lenient: bool) -> None:
        self.namespace = namespace
        self.lenient = lenient
        self.local_names: list[frozenset[str]] = []
        self.function_depths: list[int] = []  # the levels that are not comprehensions
        self.iterable_depth = 0
        self.temporary_count = 0
        self.needs_budget = False  # whether the program needs one

    def visit(self, node: Any) -> Any:
        """Return what a node becomes: an expression, or for a statement a statement or a list of them."""
        handler: Callable[[Any], Any] | None = getattr(self, "visit_" + node.__class__.__name__, None)
        if handler is None:
            self.visit_children(node)
            return node
        new = handler(node)
        if isinstance(new, list):
            return all_with_position(new, node)
        return new if new is node else with_position(new, node)

    def visit_children(self, node: ast.AST) -> None:
        """Visit the children of a node in place."""
        for field in node._fields:
            value = getattr(node, field, None)
            if isinstance(value, list):
                setattr(node, field, [self.visit(part) if isinstance(part, ast.AST) else part for part in value])
            elif isinstance(value, ast.AST) and value._fields:
                setattr(node, field, self.visit(value))

    def visit_all(self, nodes: Iterable[ast.AST]) -> list[Any]:
        """Return the visited nodes."""
        return [self.visit(node) for node in nodes]

    def new_temporary(self) -> str | None:
        """Return the name of a new temporary variable, or None where there can be none."""
        if self.iterable_depth:
            return None
        self.temporary_count += 1
        return f"_t{self.temporary_count}"

    def visit_iterable(self, node: ast.expr) -> Any:
        """Return an iterable of a comprehension."""
        self.iterable_depth += 1
        new = self.visit(node)
        self.iterable_depth -= 1
        return new

    def is_local(self, name: str, level: int | None = None) -> bool:
        """Whether a name is a Python variable, when only the ``level`` outermost levels are looked at."""
        return name == "_" or any(name in names for names in self.local_names[:level])

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """A variable."""
        return node if self.is_local(node.id) else self.visit_ScopeName(node)

    def visit_LocalName(self, node: LocalName) -> ast.expr:
        """A variable that says itself that it is a Python variable."""
        return ast.Name(node.id, node.ctx)

    def visit_ScopeName(self, node: ScopeName | ast.Name) -> ast.expr:
        """A variable that says itself that it is one of the scope."""
        if not isinstance(node.ctx, ast.Load):
            return scope_variable(node.id, node.ctx)
        if node.id in self.namespace:
            anywhere = call("_variable_or_name", load(SCOPE), load(NAMESPACE), constant(node.id))
            own = ast.Compare(constant(node.id), [ast.In()], [load(SCOPE)])
            return ast.IfExp(own, scope_variable(node.id, node.ctx), anywhere)
        if self.lenient:
            return call("_variable_or_none", load(SCOPE), constant(node.id))
        return scope_variable(node.id, node.ctx)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.expr:
        """An assignment expression; in a comprehension it binds in the function around it."""
        value = self.visit(node.value)
        if isinstance(node.target, LocalName):
            return ast.NamedExpr(ast.Name(node.target.id, STORE), value)
        name = node.target.id
        if isinstance(node.target, ScopeName) or not self.is_local(
            name, self.function_depths[-1] if self.function_depths else 0
        ):
            return call("_assign_variable", load(SCOPE), constant(name), value)
        return ast.NamedExpr(ast.Name(name, STORE), value)
