"""Emitter: replaces the AST nodes of a script by guarded ones, with a table of node handlers, and resolves names.

Rules: a node handler is a function ``emit_<node>(emitter, node)`` for one type of AST node. Those of names are here;
the modules ``expressions``, ``statements``, ``functions`` and ``matching`` define the others. ``compile`` joins their
tables and passes them to the Emitter, so this module imports none of them. A name is resolved as in Python. Inside a
function or comprehension that binds the name, it is a Python variable. Everywhere else it is a variable of the scope
or, if there is none, a name of the namespace.

Emitted code keeps a value in a temporary variable by an assignment expression. Python allows none in the iterable of a
comprehension, so ``new_temporary`` returns None there.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
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
from taskrun.script.variables import Comprehension, function_names, iteration_names

NodeHandlers = Mapping[type[ast.AST], Callable[["Emitter", Any], Any]]
"""For each type of AST node its node handler, which returns the guarded replacement of a node."""


class Emitter:
    """State of the compilation of one script, and the replacement of its AST nodes by guarded ones.

    Parameters: ``handlers`` contains the node handlers by the exact type of the node; a subclass needs an entry of its
    own. ``namespace`` contains the names of the namespace that the script reads. With ``lenient``, reading an unknown
    variable gives None instead of an error.
    """

    def __init__(self, handlers: NodeHandlers, namespace: frozenset[str], *, lenient: bool) -> None:
        self._handlers = handlers
        self.namespace: frozenset[str] = namespace
        self.lenient: bool = lenient
        self.needs_budget: bool = False  # whether the program can run for long
        self.stores_value: bool = False  # whether expression statements store their value
        self._local_names: list[frozenset[str]] = []  # one entry for each function and comprehension around the node
        self._function_depths: list[int] = []  # for each such function: the number of entries up to its own
        self._iterable_depth: int = 0
        self._temporary_count: int = 0

    def require_budget(self, required: bool = True) -> None:
        """Record that the script can run for long, so that its native function gets a budget.

        Nothing is done if ``required`` is false.
        """
        self.needs_budget = self.needs_budget or required

    def visit(self, node: Any) -> Any:
        """Return the guarded replacement of an AST node.

        For an expression it is one expression, for a statement one statement or a list of statements. If there is no
        node handler for the type of the node, the node itself is returned, with its children replaced.
        """
        handler = self._handlers.get(node.__class__)
        if handler is None:
            self.visit_children(node)
            return node
        new = handler(self, node)
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

    def visit_block(self, body: Sequence[ast.stmt]) -> list[ast.stmt]:
        """Return the guarded replacements of the statements of a block of code as one list."""
        statements: list[ast.stmt] = []
        for statement in body:
            new = self.visit(statement)
            statements.extend(new if isinstance(new, list) else [new])
        return statements

    def new_temporary(self) -> str | None:
        """Return a new name ``_t1``, ``_t2`` … for a temporary variable; None inside the iterable of a comprehension.

        There the variable could not be set, because Python forbids assignment expressions. The caller must emit code
        without one.
        """
        if self._iterable_depth:
            return None
        self._temporary_count += 1
        return f"_t{self._temporary_count}"

    def visit_iterable(self, node: ast.expr) -> Any:
        """Return the guarded replacement of the iterable of a comprehension.

        No temporary variable may be set in it, so ``new_temporary`` returns None for it.
        """
        self._iterable_depth += 1
        new = self.visit(node)
        self._iterable_depth -= 1
        return new

    @property
    def in_function(self) -> bool:
        """Whether the current AST node is inside a function or lambda of the script."""
        return bool(self._function_depths)

    def is_local(self, name: str) -> bool:
        """Return whether ``name`` is a Python variable here.

        This is the case if a function or comprehension around the current AST node binds the name. The name ``_`` is
        always a Python variable.
        """
        return name == "_" or any(name in names for names in self._local_names)

    def is_assigned_locally(self, name: str) -> bool:
        """Return whether ``name := value`` assigns a Python variable here.

        The comprehensions inside the innermost function do not count: as in Python, the assignment goes to the function
        around them. The name ``_`` is always a Python variable.
        """
        depth = self._function_depths[-1] if self._function_depths else 0
        return name == "_" or any(name in names for names in self._local_names[:depth])

    def enter_function(self, node: ast.FunctionDef | ast.Lambda) -> None:
        """Begin a function, in which its parameters and local variables resolve to Python variables.

        The function ends with ``leave_function``.
        """
        self._local_names.append(function_names(node))
        self._function_depths.append(len(self._local_names))

    def leave_function(self) -> None:
        """End the innermost function that ``enter_function`` began: its local names are no longer known."""
        self._local_names.pop()
        self._function_depths.pop()

    def enter_comprehension(self, node: Comprehension) -> None:
        """Begin a comprehension, in which its iteration variables resolve to Python variables.

        The comprehension ends with ``leave_comprehension``.
        """
        self._local_names.append(iteration_names(node))

    def leave_comprehension(self) -> None:
        """End the innermost comprehension that ``enter_comprehension`` began: its variables are no longer known."""
        self._local_names.pop()


def emit_name(emitter: Emitter, node: ast.Name) -> ast.expr:
    """Return the AST node of a variable: of a Python variable where the name is local, else of one of the scope."""
    return node if emitter.is_local(node.id) else emit_scope_name(emitter, node)


def emit_local_name(_emitter: Emitter, node: LocalName) -> ast.expr:
    """Return the AST node of a Python variable, for a name that the translator of XScript has marked as local."""
    return ast.Name(node.id, node.ctx)


def emit_scope_name(emitter: Emitter, node: ScopeName | ast.Name) -> ast.expr:
    """Return the AST node that reads, assigns or deletes a variable of the scope.

    If the scope has no such variable, reading gives the name of the namespace or, with ``lenient``, None.
    """
    if not isinstance(node.ctx, ast.Load):
        return scope_variable(node.id, node.ctx)
    if node.id in emitter.namespace:
        from_scope_or_namespace = call("_variable_or_name", load(SCOPE), load(NAMESPACE), constant(node.id))
        is_own_variable = ast.Compare(constant(node.id), [ast.In()], [load(SCOPE)])
        return ast.IfExp(is_own_variable, scope_variable(node.id, node.ctx), from_scope_or_namespace)
    if emitter.lenient:
        return call("_variable_or_none", load(SCOPE), constant(node.id))
    return scope_variable(node.id, node.ctx)


def emit_named_expr(emitter: Emitter, node: ast.NamedExpr) -> ast.expr:
    """Return the replacement of ``name := value``, which sets a Python variable or a variable of the scope.

    It is a Python variable if an enclosing function binds the name.
    """
    value = emitter.visit(node.value)
    if isinstance(node.target, LocalName):
        return ast.NamedExpr(ast.Name(node.target.id, STORE), value)
    name = node.target.id
    if isinstance(node.target, ScopeName) or not emitter.is_assigned_locally(name):
        return call("_assign_variable", load(SCOPE), constant(name), value)
    return ast.NamedExpr(ast.Name(name, STORE), value)


NAME_HANDLERS: NodeHandlers = MappingProxyType(
    {
        ast.Name: emit_name,
        LocalName: emit_local_name,
        ScopeName: emit_scope_name,
        ast.NamedExpr: emit_named_expr,
    }
)
