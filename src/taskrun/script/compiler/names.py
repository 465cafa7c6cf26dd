"""Node handlers of names: variables of the scope, Python variables, and names of the namespace.

Rules: a name is resolved as in Python. Inside a function or comprehension that binds the name, it is a Python variable.
Everywhere else it is a variable of the scope or, if there is none, a name of the namespace.
"""

from __future__ import annotations

import ast
from types import MappingProxyType

from taskrun.script.compiler.ast_builders import NAMESPACE, SCOPE, STORE, call, constant, load, scope_variable
from taskrun.script.compiler.emitter import Emitter, NodeHandlers
from taskrun.script.ir import LocalName, ScopeName


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

    It is a Python variable if an enclosing function binds the name. Comprehensions do not count: as in Python, the
    assignment goes to the function around them.
    """
    value = emitter.visit(node.value)
    if isinstance(node.target, LocalName):
        return ast.NamedExpr(ast.Name(node.target.id, STORE), value)
    name = node.target.id
    if isinstance(node.target, ScopeName) or not emitter.is_local(
        name, emitter.function_depths[-1] if emitter.function_depths else 0
    ):
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
