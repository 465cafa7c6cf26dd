"""Node handlers of statements: assignments, loops, exception handling.

Rules: a node handler returns one statement or a list of statements. Scripts can catch exceptions that are subclasses of
Exception, but neither a cancellation nor the error of an exhausted budget. The value of a script is that of the
expression statement that was executed last. If the script does not end with an expression, each expression statement
therefore stores its value in a variable.
"""

from __future__ import annotations

import ast
from types import MappingProxyType

from taskrun.script.compiler.ast_builders import (
    LOAD,
    SCOPE,
    STORE,
    TICK,
    TICKS,
    VALUE,
    assign,
    call,
    constant,
    load,
    scope_variable,
)
from taskrun.script.compiler.emitter import Emitter, NodeHandlers
from taskrun.script.compiler.expressions import checked_operation
from taskrun.script.compiler.targets import (
    assignment_target,
    flatten_targets,
    has_starred,
    metered_unpacking,
    unpacking_target,
)


def emit_expr(emitter: Emitter, node: ast.Expr) -> ast.stmt:
    """Return the replacement of an expression statement; it stores its value if that may be the script's value."""
    value = emitter.visit(node.value)
    return assign(VALUE, value) if emitter.stores_value and not emitter.in_function else ast.Expr(value)


def emit_return(emitter: Emitter, node: ast.Return) -> ast.stmt:
    """Return the replacement of ``return``."""
    return ast.Return(emitter.visit(node.value) if node.value else None)


def emit_assign(emitter: Emitter, node: ast.Assign) -> ast.stmt | list[ast.stmt]:
    """Return the replacement of ``target = … = value``: an assignment, or several ones for nested starred targets."""
    value = emitter.visit(node.value)
    if any(has_starred(target) for target in node.targets):
        value = call("_ticked", value)
    later: list[ast.stmt] = []
    targets = [unpacking_target(emitter, target, later) for target in node.targets]
    return [ast.Assign(targets, value), *later] if later else ast.Assign(targets, value)


def emit_ann_assign(emitter: Emitter, node: ast.AnnAssign) -> ast.stmt:
    """Return the replacement of ``target: type = value``, an assignment; ``pass`` if there is no value."""
    if node.value is None:
        return ast.Pass()
    value = emitter.visit(node.value)
    return ast.Assign([assignment_target(emitter, node.target)], value)


def emit_aug_assign(emitter: Emitter, node: ast.AugAssign) -> ast.stmt | list[ast.stmt]:
    """Return the replacement of ``target op= value``, which evaluates each part of the target once."""
    target = node.target
    before: list[ast.stmt] = []
    if isinstance(target, ast.Subscript):
        container, key = emitter.new_temporary() or "", emitter.new_temporary() or ""
        before = [assign(container, emitter.visit(target.value)), assign(key, emitter.visit(target.slice))]
        read: ast.expr = ast.Subscript(load(container), load(key), LOAD)
        written: ast.expr = ast.Subscript(load(container), load(key), STORE)
    else:
        read = emitter.visit(type(target)(target.id, LOAD) if isinstance(target, ast.Name) else target)
        written = emitter.visit(target)
    value = emitter.visit(node.value)
    return [*before, ast.Assign([written], in_place_value(emitter, node.op, read, value))]


def in_place_value(emitter: Emitter, operator: ast.operator, left: ast.expr, right: ast.expr) -> ast.expr:
    """Return an expression for the value that ``left op= right`` assigns.

    At run time it raises OverflowError if the value would be too large.
    """
    if isinstance(operator, (ast.Add, ast.Mult)):
        return checked_operation(emitter, operator, left, right, in_place=True)
    if isinstance(operator, (ast.Pow, ast.LShift, ast.Mod)):
        return checked_operation(emitter, operator, left, right)
    return call("_in_place_" + type(operator).__name__, left, right)


def emit_delete(emitter: Emitter, node: ast.Delete) -> list[ast.stmt]:
    """Return the statements that replace ``del``, one for each target."""
    return [deletion(emitter, target) for target in flatten_targets(node.targets)]


def deletion(emitter: Emitter, target: ast.expr) -> ast.stmt:
    """Return the statement that deletes one target of a ``del``: a variable or an item."""
    if isinstance(target, ast.Name) and not emitter.is_local(target.id):
        return ast.Expr(call("_delete_variable", load(SCOPE), constant(target.id)))
    return ast.Delete([emitter.visit(target)])


def emit_if(emitter: Emitter, node: ast.If) -> ast.stmt:
    """Return the replacement of ``if``."""
    return ast.If(emitter.visit(node.test), emitter.visit_block(node.body), emitter.visit_block(node.orelse))


def emit_for(emitter: Emitter, node: ast.For) -> ast.stmt:
    """Return the replacement of ``for``, in which each iteration charges the budget one tick."""
    emitter.require_budget()
    items = call("_compress", metered_unpacking(emitter.visit(node.iter), node.target), load(TICKS))
    later: list[ast.stmt] = []
    target = unpacking_target(emitter, node.target, later)
    return ast.For(target, items, [*later, *emitter.visit_block(node.body)], emitter.visit_block(node.orelse))


def emit_while(emitter: Emitter, node: ast.While) -> ast.stmt:
    """Return the replacement of ``while``, in which each iteration charges the budget one tick."""
    emitter.require_budget()
    tick = ast.Expr(ast.Call(load(TICK), [], []))
    return ast.While(
        emitter.visit(node.test), [tick, *emitter.visit_block(node.body)], emitter.visit_block(node.orelse)
    )


def emit_with(emitter: Emitter, node: ast.With) -> ast.stmt:
    """Return the replacement of ``with``."""
    later: list[ast.stmt] = []
    items = []
    for part in node.items:
        manager, target = emitter.visit(part.context_expr), part.optional_vars
        if target is not None:  # a starred target must be part of a list to be metered
            wrapped = ast.List([target], STORE) if has_starred(target) else target
            target = unpacking_target(emitter, wrapped, later)
            target = target.elts[0] if isinstance(target, ast.List) and wrapped is not part.optional_vars else target
        items.append(ast.withitem(manager, target))
    return ast.With(items, [*later, *emitter.visit_block(node.body)])


def emit_assert(emitter: Emitter, node: ast.Assert) -> ast.stmt:
    """Return the ``if`` statement that replaces ``assert`` and raises AssertionError."""
    error = ast.Call(load("AssertionError"), [emitter.visit(node.msg)] if node.msg else [], [])
    return ast.If(ast.UnaryOp(ast.Not(), emitter.visit(node.test)), [ast.Raise(error, None)], [])


def emit_raise(emitter: Emitter, node: ast.Raise) -> ast.stmt:
    """Return the replacement of ``raise``, which checks that a script may raise the exception."""
    if node.exc is None:
        return ast.Raise(None, None)
    return ast.Raise(call("_raisable", emitter.visit(node.exc)), emitter.visit(node.cause) if node.cause else None)


def emit_try(emitter: Emitter, node: ast.Try) -> ast.stmt:
    """Return the replacement of ``try``, whose ``except`` clauses catch no error that a script may not catch."""
    body, handlers = emitter.visit_block(node.body), [except_handler(emitter, handler) for handler in node.handlers]
    if handlers:
        handlers.insert(0, ast.ExceptHandler(load("_Uncatchable"), None, [ast.Raise(None, None)]))
    return ast.Try(body, handlers, emitter.visit_block(node.orelse), emitter.visit_block(node.finalbody))


def except_handler(emitter: Emitter, node: ast.ExceptHandler) -> ast.ExceptHandler:
    """Return the replacement of an ``except`` clause, which catches only subclasses of Exception.

    A cancellation is thus not caught, even by ``except BaseException``. As in Python, the variable of the exception
    is deleted at the end of the clause.
    """
    kinds = call("_catchable_types", emitter.visit(node.type)) if node.type else load("Exception")
    body = emitter.visit_block(node.body)
    name = node.name
    if name is None or name.startswith("_") or "@" in name or emitter.is_local(name):
        return ast.ExceptHandler(kinds, name, body)
    own = emitter.new_temporary() or ""
    store = ast.Assign([scope_variable(name, STORE)], load(own))
    forget = ast.Expr(call("_discard_variable", load(SCOPE), constant(name)))
    return ast.ExceptHandler(kinds, own, [store, ast.Try(body, [], [], [forget])])


STATEMENT_HANDLERS: NodeHandlers = MappingProxyType(
    {
        ast.Expr: emit_expr,
        ast.Return: emit_return,
        ast.Assign: emit_assign,
        ast.AnnAssign: emit_ann_assign,
        ast.AugAssign: emit_aug_assign,
        ast.Delete: emit_delete,
        ast.If: emit_if,
        ast.For: emit_for,
        ast.While: emit_while,
        ast.With: emit_with,
        ast.Assert: emit_assert,
        ast.Raise: emit_raise,
        ast.Try: emit_try,
    }
)
