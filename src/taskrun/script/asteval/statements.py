"""The handlers of statements: assignments, branches, loops, exceptions.

Rules: a handler returns None, or the signal of a ``break``, ``continue`` or ``return`` that is on its way out.
Exceptions are handled by Python's own try and with, so that chaining, ``finally`` and context managers are exactly
Python's. Only ordinary exceptions can be caught: no cancellation, and not the end of the budget.
"""

# ruff: noqa: D102 - a handler does what the node it is named for means in Python

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from taskrun.script.asteval.lower import Handler, Local
from taskrun.script.asteval.machine import BREAK, CONTINUE, Machine, Returned, Signal
from taskrun.script.limits import ScriptBudgetError
from taskrun.script.sandbox.bounded_operators import IN_PLACE
from taskrun.script.sandbox.budget import ticked
from taskrun.script.sandbox.size_limits import check_size

_END = object()


class Statements(Machine):
    """Everything that is not an expression."""

    def block(self, statements: Iterable[ast.stmt]) -> Signal:
        """Run statements until one of them jumps out."""
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
        return Returned(self.run(node.value) if node.value else None)

    def on_assign(self, node: ast.Assign) -> None:
        value = self.run(node.value)
        for target in node.targets:
            self.assign(target, value)

    def on_annassign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.assign(node.target, self.run(node.value))

    def assign(self, target: ast.expr, value: Any) -> None:
        """Bind ``value`` to a target: a name, an item, or several of them."""
        if target.__class__ is ast.Name:
            self.scope[target.id] = value
        elif isinstance(target, Local):
            self.level(target.hops).variables[target.id] = value
        elif isinstance(target, ast.Subscript):
            container = self.run(target.value)
            index = self.run(target.slice)
            if isinstance(index, slice) and hasattr(value, "__len__"):
                check_size(len(container) + len(value))
            container[index] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            self.unpack(target.elts, value)

    def unpack(self, targets: Sequence[ast.expr], value: Any) -> None:
        """Bind the items of ``value`` to as many targets, one of which may have a star."""
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
            self.assign(target.value if isinstance(target, ast.Starred) else target, item)

    def on_augassign(self, node: ast.AugAssign) -> None:
        target = node.target
        change = IN_PLACE[node.op.__class__]
        if isinstance(target, ast.Subscript):
            container = self.run(target.value)
            index = self.run(target.slice)
            container[index] = change(container[index], self.run(node.value))
        else:
            before = self.run(target)
            self.assign(target, change(before, self.run(node.value)))

    def on_delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self.delete(target)

    def delete(self, target: ast.expr) -> None:
        """Delete a variable, an item, or several of them."""
        if isinstance(target, ast.Subscript):
            container = self.run(target.value)
            del container[self.run(target.slice)]
        elif isinstance(target, (ast.Tuple, ast.List)):
            for element in target.elts:
                self.delete(element)
        elif isinstance(target, Local) and not self.forget(target):
            raise UnboundLocalError(f"the local variable '{target.id}' has no value that could be deleted")
        elif isinstance(target, ast.Name) and not isinstance(target, Local) and not self.forget(target):
            raise NameError(f"'{target.id}' is not a variable of this step, so it cannot be deleted")

    def forget(self, name: ast.Name) -> bool:
        """Delete a variable, and say whether there was one."""
        variables: Any = self.level(name.hops).variables if isinstance(name, Local) else self.scope
        return variables.pop(name.id, _END) is not _END

    def on_if(self, node: ast.If) -> Signal:
        return self.block(node.body if self.run(node.test) else node.orelse)

    def on_while(self, node: ast.While) -> Signal:
        while self.run(node.test):
            signal = self.block(node.body)
            if signal is BREAK:
                return None
            if signal is not None and signal is not CONTINUE:
                return signal
        return self.block(node.orelse)

    def on_for(self, node: ast.For) -> Signal:
        for value in self.run(node.iter):
            self.assign(node.target, value)
            signal = self.block(node.body)
            if signal is BREAK:
                return None
            if signal is not None and signal is not CONTINUE:
                return signal
        return self.block(node.orelse)

    def on_with(self, node: ast.With, entered: int = 0) -> Signal:
        if entered == len(node.items):
            return self.block(node.body)
        item = node.items[entered]
        signal: Signal = None
        with self.run(item.context_expr) as value:
            if item.optional_vars:
                self.assign(item.optional_vars, value)
            signal = self.on_with(node, entered + 1)
        return signal  # noqa: RET504 - the manager may hold an exception

    def on_assert(self, node: ast.Assert) -> None:
        if not self.run(node.test):
            raise AssertionError(*([self.run(node.msg)] if node.msg else []))

    def on_raise(self, node: ast.Raise) -> None:
        if node.exc is None:
            raise  # noqa: PLE0704 - runs inside the except clause of on_try; the checks see to it
        error = self.run(node.exc)
        kind = error if isinstance(error, type) else type(error)
        if issubclass(kind, BaseException) and not issubclass(kind, Exception):
            raise TypeError(f"a script cannot raise {kind.__name__}, only ordinary exceptions")
        if node.cause:
            raise error from self.run(node.cause)
        raise error

    def on_try(self, node: ast.Try) -> Signal:
        if not node.finalbody:
            return self.handled(node)
        try:
            signal = self.handled(node)
        except BaseException:
            override = self.block(node.finalbody)
            if override is None:
                raise
            return override
        return self.block(node.finalbody) or signal

    def handled(self, node: ast.Try) -> Signal:
        """Run the body of a try statement, and its handler or its else block."""
        try:
            signal = self.block(node.body)
        except ScriptBudgetError:
            raise
        except Exception as error:
            for handler in node.handlers:
                if handler.type is None or _matches(error, self.run(handler.type)):
                    return self.handle(handler, error)
            raise
        return self.block(node.orelse) if signal is None else signal

    def handle(self, handler: ast.ExceptHandler, error: Exception) -> Signal:
        """Run an exception handler; its name is gone afterwards."""
        target = handler.target if isinstance(handler, Handler) else None
        if target is None:
            return self.block(handler.body)
        self.assign(target, error)
        try:
            return self.block(handler.body)
        finally:
            self.forget(target)


def _matches(error: Exception, kinds: Any) -> bool:
    for kind in kinds if isinstance(kinds, tuple) else (kinds,):
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise TypeError("catching classes that do not inherit from Exception is not allowed")
    return issubclass(type(error), kinds)
