"""Methods that execute statements in the evaluator ``asteval``: assignments, conditions, loops, exception handling.

Rules: a method returns None, or the signal of a ``break``, ``continue`` or ``return``, which ends the enclosing blocks
of code. Python's own ``try`` and ``with`` handle exceptions, so that chaining, ``finally`` and context managers are
exactly Python's. Scripts can catch exceptions that are subclasses of Exception, but neither a cancellation nor the
error of an exhausted budget.
"""

# ruff: noqa: D102 - a handler on_<node> executes the statement of that name

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from taskrun.script.asteval.activation import BREAK, CONTINUE, Activation, ReturnSignal, Signal
from taskrun.script.asteval.lower import LocalVariable, LoweredExceptHandler
from taskrun.script.exception_types import catchable_types, raisable
from taskrun.script.limits import ScriptBudgetError
from taskrun.script.sandbox.bounded_operators import IN_PLACE
from taskrun.script.sandbox.budget import ticked
from taskrun.script.sandbox.size_limits import check_size

_END = object()


class StatementHandlers(Activation):
    """Methods ``on_<node>`` that execute all statements except function definitions."""

    value: Any

    def run_block(self, statements: Iterable[ast.stmt]) -> Signal:
        """Execute statements until one returns the signal of a ``return``, ``break`` or ``continue``.

        Returns that signal, or None if all statements were executed.
        """
        for statement in statements:
            signal: Signal = self.run(statement)
            if signal is not None:
                return signal
        return None

    def on_expr(self, node: ast.Expr) -> None:
        self.value = self.run(node.value)

    def on_pass(self, _node: ast.Pass) -> None:
        return

    def on_break(self, _node: ast.Break) -> Signal:
        return BREAK

    def on_continue(self, _node: ast.Continue) -> Signal:
        return CONTINUE

    def on_return(self, node: ast.Return) -> Signal:
        return ReturnSignal(self.run(node.value) if node.value else None)

    def on_assign(self, node: ast.Assign) -> None:
        value = self.run(node.value)
        for target in node.targets:
            self.bind(target, value)

    def on_annassign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.bind(node.target, self.run(node.value))

    def bind(self, target: ast.expr, value: Any) -> None:
        """Assign ``value`` to an assignment target: a variable, an item, a slice, or a tuple or list of targets."""
        if target.__class__ is ast.Name:
            self.scope[target.id] = value
        elif isinstance(target, LocalVariable):
            self.ancestor(target.hops).variables[target.id] = value
        elif isinstance(target, ast.Subscript):
            container = self.run(target.value)
            index = self.run(target.slice)
            if isinstance(index, slice) and hasattr(value, "__len__"):
                check_size(len(container) + len(value))
            container[index] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            self.bind_unpacked(target.elts, value)

    def bind_unpacked(self, targets: Sequence[ast.expr], value: Any) -> None:
        """Assign the items of ``value`` to several targets, as ``a, b = value`` does.

        One target may be starred (``*c``): it receives a list of the items that the others leave. Raises ValueError if
        there are too few or too many items, TypeError if ``value`` is not iterable.
        """
        count = len(targets)
        star = next((index for index, target in enumerate(targets) if isinstance(target, ast.Starred)), None)
        kind = type(value)
        if not (hasattr(kind, "__iter__") or hasattr(kind, "__getitem__")):
            raise TypeError(f"cannot unpack non-iterable {kind.__name__} object")
        iterator = iter(value)
        if star is None:
            values = list(islice(iterator, count))
            if len(values) < count:
                raise ValueError(f"not enough values to unpack (expected {count}, got {len(values)})")
            if next(iterator, _END) is not _END:
                raise ValueError(f"too many values to unpack (expected {count})")
        else:
            values = list(ticked(iterator))
            if len(values) < count - 1:
                raise ValueError(f"not enough values to unpack (expected at least {count - 1}, got {len(values)})")
            values[star : len(values) - (count - 1 - star)] = [values[star : len(values) - (count - 1 - star)]]
        for target, item in zip(targets, values, strict=True):
            self.bind(target.value if isinstance(target, ast.Starred) else target, item)

    def on_augassign(self, node: ast.AugAssign) -> None:
        target = node.target
        change = IN_PLACE[node.op.__class__]
        if isinstance(target, ast.Subscript):
            container = self.run(target.value)
            index = self.run(target.slice)
            container[index] = change(container[index], self.run(node.value))
        else:
            before = self.run(target)
            self.bind(target, change(before, self.run(node.value)))

    def on_delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self.delete_target(target)

    def delete_target(self, target: ast.expr) -> None:
        """Delete one target of a ``del``: a variable, an item, or a tuple or list of targets.

        Raises NameError if the variable does not exist.
        """
        if isinstance(target, ast.Subscript):
            container = self.run(target.value)
            del container[self.run(target.slice)]
        elif isinstance(target, (ast.Tuple, ast.List)):
            for element in target.elts:
                self.delete_target(element)
        elif isinstance(target, LocalVariable) and not self.remove_variable(target):
            raise UnboundLocalError(f"the local variable '{target.id}' has no value that could be deleted")
        elif (
            isinstance(target, ast.Name) and not isinstance(target, LocalVariable) and not self.remove_variable(target)
        ):
            raise NameError(f"'{target.id}' is not a variable of this step, so it cannot be deleted")

    def remove_variable(self, name: ast.Name) -> bool:
        """Delete a variable, of the scope or a local one; return whether it existed."""
        variables: Any = self.ancestor(name.hops).variables if isinstance(name, LocalVariable) else self.scope
        return variables.pop(name.id, _END) is not _END

    def on_if(self, node: ast.If) -> Signal:
        return self.run_block(node.body if self.run(node.test) else node.orelse)

    def on_while(self, node: ast.While) -> Signal:
        while self.run(node.test):
            signal = self.run_block(node.body)
            if signal is BREAK:
                return None
            if signal is not None and signal is not CONTINUE:
                return signal
        return self.run_block(node.orelse)

    def on_for(self, node: ast.For) -> Signal:
        for value in self.run(node.iter):
            self.bind(node.target, value)
            signal = self.run_block(node.body)
            if signal is BREAK:
                return None
            if signal is not None and signal is not CONTINUE:
                return signal
        return self.run_block(node.orelse)

    def on_with(self, node: ast.With, entered: int = 0) -> Signal:
        if entered == len(node.items):
            return self.run_block(node.body)
        item = node.items[entered]
        signal: Signal = None
        with self.run(item.context_expr) as value:
            if item.optional_vars:
                self.bind(item.optional_vars, value)
            signal = self.on_with(node, entered + 1)
        return signal  # noqa: RET504 - the context manager may suppress an exception

    def on_assert(self, node: ast.Assert) -> None:
        if not self.run(node.test):
            raise AssertionError(*([self.run(node.msg)] if node.msg else []))

    def on_raise(self, node: ast.Raise) -> None:
        if node.exc is None:
            raise  # noqa: PLE0704 - the checks allow it in handlers only, which run inside an except clause
        error = raisable(self.run(node.exc))
        if node.cause:
            raise error from self.run(node.cause)
        raise error

    def on_try(self, node: ast.Try) -> Signal:
        if not node.finalbody:
            return self.run_try_body(node)
        try:
            signal = self.run_try_body(node)
        except BaseException:
            override = self.run_block(node.finalbody)
            if override is None:
                raise
            return override
        return self.run_block(node.finalbody) or signal

    def run_try_body(self, node: ast.Try) -> Signal:
        """Execute a ``try`` statement without its ``finally`` block.

        That is the ``try`` block, and then the ``except`` clause that matches its exception, or the ``else`` block.
        Returns the signal if ``return``, ``break`` or ``continue`` was executed, else None.
        """
        try:
            signal = self.run_block(node.body)
        except ScriptBudgetError:
            raise
        except Exception as error:
            for handler in node.handlers:
                if handler.type is None or issubclass(type(error), catchable_types(self.run(handler.type))):
                    return self.run_handler(handler, error)
            raise
        return self.run_block(node.orelse) if signal is None else signal

    def run_handler(self, handler: ast.ExceptHandler, error: Exception) -> Signal:
        """Execute an ``except`` clause; return the signal of its ``return``, ``break`` or ``continue``, else None.

        As in Python, the variable of the exception is deleted at the end.
        """
        target = handler.target if isinstance(handler, LoweredExceptHandler) else None
        if target is None:
            return self.run_block(handler.body)
        self.bind(target, error)
        try:
            return self.run_block(handler.body)
        finally:
            self.remove_variable(target)
