"""Base of the emitters: calls the method ``visit_<Node>`` for each AST node, and resolves names.

Rules: a name is resolved as in Python. Inside a function or comprehension that binds the name, it is a Python variable.
Everywhere else it is a variable of the scope or, if there is none, a name of the namespace. Emitted code keeps a value
in a temporary variable by an assignment expression. Python allows none in the iterable of a comprehension, so
``new_temporary`` returns None there.
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
    """Base class that replaces the AST nodes of a script by guarded ones: one method ``visit_<Node>`` per type of node.

    Parameters: ``namespace`` contains the names of the namespace that the script reads. With ``lenient``, reading an
    unknown variable gives None instead of an error.
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
        """Record that the script can run for long, so that its native function gets a budget.

        Nothing is done if ``required`` is false.
        """
        self.needs_budget = self.needs_budget or required

    def visit(self, node: Any) -> Any:
        """Return the guarded replacement of an AST node.

        For an expression it is one expression, for a statement one statement or a list of statements. If there is no
        method ``visit_<Node>`` for the node, the node itself is returned, with its children replaced.
        """
        handler: Callable[[Any], Any] | None = getattr(self, "visit_" + node.__class__.__name__, None)
        if handler is None:
            self.visit_children(node)
            return node
        new = handler(node)
        if isinstance(new, list):
            return all_with_position(new, node)
        return new if new is node else with_position(new, node)

    def visit_children(self, node: ast.AST) -> None:
        """Replace each child of an AST node by its guarded replacement; the node itself is changed."""
        for field in node._fields:
            value = getattr(node, field, None)
            if isinstance(value, list):
                setattr(node, field, [self.visit(part) if isinstance(part, ast.AST) else part for part in value])
            elif isinstance(value, ast.AST) and value._fields:
                setattr(node, field, self.visit(value))

    def visit_all(self, nodes: Iterable[ast.AST]) -> list[Any]:
        """Return the guarded replacements of several AST nodes, in the same order."""
        return [self.visit(node) for node in nodes]

    def new_temporary(self) -> str | None:
        """Return a new name ``_t1``, ``_t2`` … for a temporary variable; None inside the iterable of a comprehension.

        There the variable could not be set, because Python forbids assignment expressions. The caller must emit code
        without one.
        """
        if self.iterable_depth:
            return None
        self.temporary_count += 1
        return f"_t{self.temporary_count}"

    def visit_iterable(self, node: ast.expr) -> Any:
        """Return the guarded replacement of the iterable of a comprehension.

        No temporary variable may be set in it, so ``new_temporary`` returns None for it.
        """
        self.iterable_depth += 1
        new = self.visit(node)
        self.iterable_depth -= 1
        return new

    def is_local(self, name: str, depth: int | None = None) -> bool:
        """Return whether ``name`` is a Python variable here.

        This is the case if a function or comprehension around the current AST node binds the name. With ``depth``, only
        the ``depth`` outermost of them count. The name ``_`` is always a Python variable.
        """
        return name == "_" or any(name in names for names in self.local_names[:depth])

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Return the AST node of a variable: of a Python variable where the name is local, else of one of the scope."""
        return node if self.is_local(node.id) else self.visit_ScopeName(node)

    def visit_LocalName(self, node: LocalName) -> ast.expr:
        """Return the AST node of a Python variable, for a name that the translator of XScript has marked as local."""
        return ast.Name(node.id, node.ctx)

    def visit_ScopeName(self, node: ScopeName | ast.Name) -> ast.expr:
        """Return the AST node that reads, assigns or deletes a variable of the scope.

        If the scope has no such variable, reading gives the name of the namespace or, with ``lenient``, None.
        """
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
        """Return the replacement of ``name := value``, which sets a Python variable or a variable of the scope.

        It is a Python variable if an enclosing function binds the name. Comprehensions do not count: as in Python, the
        assignment goes to the function around them.
        """
        value = self.visit(node.value)
        if isinstance(node.target, LocalName):
            return ast.NamedExpr(ast.Name(node.target.id, STORE), value)
        name = node.target.id
        if isinstance(node.target, ScopeName) or not self.is_local(
            name, self.function_depths[-1] if self.function_depths else 0
        ):
            return call("_assign_variable", load(SCOPE), constant(name), value)
        return ast.NamedExpr(ast.Name(name, STORE), value)
