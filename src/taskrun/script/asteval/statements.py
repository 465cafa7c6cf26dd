"""Functions that execute statements in the evaluator ``asteval``: conditions, loops, exception handling, assignments.

Rules: ``on_<node>`` executes the AST node of that name. It returns None, or the signal of a ``break``, ``continue`` or
``return``, which ends the enclosing blocks of code. Python's own ``try`` and ``with`` handle exceptions, so that
chaining, ``finally`` and context managers are exactly Python's. Scripts can catch exceptions that are subclasses of
Exception, but neither a cancellation nor the error of an exhausted budget.
"""

# ruff: noqa: D103 - a handler on_<node> executes the statement of that name

from __future__ import annotations

import ast
from types import MappingProxyType

from taskrun.script.asteval.activation import BREAK, CONTINUE, Activation, NodeHandlers, ReturnSignal, Signal
from taskrun.script.asteval.lower import LoweredExceptHandler
from taskrun.script.asteval.targets import bind, delete_target, remove_variable
from taskrun.script.exception_types import catchable_types, raisable
from taskrun.script.limits import ScriptBudgetError
from taskrun.script.sandbox.bounded_operators import IN_PLACE


def on_expr(activation: Activation, node: ast.Expr) -> None:
    activation.value = activation.run(node.value)


def on_pass(_activation: Activation, _node: ast.Pass) -> None:
    return


def on_break(_activation: Activation, _node: ast.Break) -> Signal:
    return BREAK


def on_continue(_activation: Activation, _node: ast.Continue) -> Signal:
    return CONTINUE


def on_return(activation: Activation, node: ast.Return) -> Signal:
    return ReturnSignal(activation.run(node.value) if node.value else None)


def on_assign(activation: Activation, node: ast.Assign) -> None:
    value = activation.run(node.value)
    for target in node.targets:
        bind(activation, target, value)


def on_annassign(activation: Activation, node: ast.AnnAssign) -> None:
    if node.value:
        bind(activation, node.target, activation.run(node.value))


def on_augassign(activation: Activation, node: ast.AugAssign) -> None:
    target = node.target
    change = IN_PLACE[node.op.__class__]
    if isinstance(target, ast.Subscript):
        container = activation.run(target.value)
        index = activation.run(target.slice)
        container[index] = change(container[index], activation.run(node.value))
    else:
        before = activation.run(target)
        bind(activation, target, change(before, activation.run(node.value)))


def on_delete(activation: Activation, node: ast.Delete) -> None:
    for target in node.targets:
        delete_target(activation, target)


def on_if(activation: Activation, node: ast.If) -> Signal:
    return activation.run_block(node.body if activation.run(node.test) else node.orelse)


def on_while(activation: Activation, node: ast.While) -> Signal:
    while activation.run(node.test):
        signal = activation.run_block(node.body)
        if signal is BREAK:
            return None
        if signal is not None and signal is not CONTINUE:
            return signal
    return activation.run_block(node.orelse)


def on_for(activation: Activation, node: ast.For) -> Signal:
    for value in activation.run(node.iter):
        bind(activation, node.target, value)
        signal = activation.run_block(node.body)
        if signal is BREAK:
            return None
        if signal is not None and signal is not CONTINUE:
            return signal
    return activation.run_block(node.orelse)


def on_with(activation: Activation, node: ast.With, entered: int = 0) -> Signal:
    if entered == len(node.items):
        return activation.run_block(node.body)
    item = node.items[entered]
    signal: Signal = None
    with activation.run(item.context_expr) as value:
        if item.optional_vars:
            bind(activation, item.optional_vars, value)
        signal = on_with(activation, node, entered + 1)
    return signal  # noqa: RET504 - the context manager may suppress an exception


def on_assert(activation: Activation, node: ast.Assert) -> None:
    if not activation.run(node.test):
        raise AssertionError(*([activation.run(node.msg)] if node.msg else []))


def on_raise(activation: Activation, node: ast.Raise) -> None:
    if node.exc is None:
        raise  # noqa: PLE0704 - the checks allow it in handlers only, which run inside an except clause
    error = raisable(activation.run(node.exc))
    if node.cause:
        raise error from activation.run(node.cause)
    raise error


def on_try(activation: Activation, node: ast.Try) -> Signal:
    if not node.finalbody:
        return run_try_body(activation, node)
    try:
        signal = run_try_body(activation, node)
    except BaseException:
        override = activation.run_block(node.finalbody)
        if override is None:
            raise
        return override
    return activation.run_block(node.finalbody) or signal


def run_try_body(activation: Activation, node: ast.Try) -> Signal:
    """Execute a ``try`` statement without its ``finally`` block.

    That is the ``try`` block, and then the ``except`` clause that matches its exception, or the ``else`` block.
    Returns the signal if ``return``, ``break`` or ``continue`` was executed, else None.
    """
    try:
        signal = activation.run_block(node.body)
    except ScriptBudgetError:
        raise
    except Exception as error:
        for handler in node.handlers:
            if handler.type is None or issubclass(type(error), catchable_types(activation.run(handler.type))):
                return run_handler(activation, handler, error)
        raise
    return activation.run_block(node.orelse) if signal is None else signal


def run_handler(activation: Activation, handler: ast.ExceptHandler, error: Exception) -> Signal:
    """Execute an ``except`` clause; return the signal of its ``return``, ``break`` or ``continue``, else None.

    As in Python, the variable of the exception is deleted at the end.
    """
    target = handler.target if isinstance(handler, LoweredExceptHandler) else None
    if target is None:
        return activation.run_block(handler.body)
    bind(activation, target, error)
    try:
        return activation.run_block(handler.body)
    finally:
        remove_variable(activation, target)


STATEMENT_HANDLERS: NodeHandlers = MappingProxyType(
    {
        ast.Expr: on_expr,
        ast.Pass: on_pass,
        ast.Break: on_break,
        ast.Continue: on_continue,
        ast.Return: on_return,
        ast.Assign: on_assign,
        ast.AnnAssign: on_annassign,
        ast.AugAssign: on_augassign,
        ast.Delete: on_delete,
        ast.If: on_if,
        ast.While: on_while,
        ast.For: on_for,
        ast.With: on_with,
        ast.Assert: on_assert,
        ast.Raise: on_raise,
        ast.Try: on_try,
    }
)
"""The handlers of statements; lowering has replaced ``def`` by an assignment."""
