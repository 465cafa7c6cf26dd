"""Emitter of statements: assignments, loops, exception handling.

Rules: a method returns one statement or a list of statements. Scripts can catch exceptions that are subclasses of
Exception, but neither a cancellation nor the error of an exhausted budget. The value of a script is that of the
expression statement that was executed last. If the script does not end with an expression, each expression statement
therefore stores its value in a variable.
"""

# ruff: noqa: D102 - a method visit_<Node> returns the guarded replacement of that node

from __future__ import annotations

import ast
from collections.abc import Sequence

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
from taskrun.script.compiler.expressions import ExpressionEmitter


class StatementEmitter(ExpressionEmitter):
    """Emitter of assignments, loops and exception handling: returns their guarded replacements."""

    stores_value = False  # whether expression statements store their value

    def visit_block(self, body: Sequence[ast.stmt]) -> list[ast.stmt]:
        """Return the guarded replacements of the statements of a block of code as one list."""
        statements: list[ast.stmt] = []
        for statement in body:
            new = self.visit(statement)
            statements.extend(new if isinstance(new, list) else [new])
        return statements

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        value = self.visit(node.value)
        return assign(VALUE, value) if self.stores_value and not self.local_names else ast.Expr(value)

    def visit_Return(self, node: ast.Return) -> ast.stmt:
        return ast.Return(self.visit(node.value) if node.value else None)

    def visit_Assign(self, node: ast.Assign) -> ast.stmt | list[ast.stmt]:
        value = self.visit(node.value)
        if any(has_starred(target) for target in node.targets):
            value = call("_ticked", value)
        later: list[ast.stmt] = []
        targets = [self.unpacking_target(target, later) for target in node.targets]
        return [ast.Assign(targets, value), *later] if later else ast.Assign(targets, value)

    def unpacking_target(self, target: ast.expr, later: list[ast.stmt]) -> ast.expr:
        """Return the replacement of an assignment target that may be a tuple or list of targets: ``a, (b, *c)``.

        A starred target takes any number of items, so the budget must be charged for them. A nested tuple with a
        starred target is therefore unpacked by a statement of its own. Such statements are appended to ``later``; the
        caller must emit them behind the assignment.
        """
        if not isinstance(target, (ast.Tuple, ast.List)):
            return self.assignment_target(target)
        self.require_budget(has_starred(target))
        parts: list[ast.expr] = []
        for part in target.elts:
            if has_starred(part):
                own = self.new_temporary() or ""
                inner: list[ast.stmt] = []
                new = self.unpacking_target(part, inner)
                later += [ast.Assign([new], call("_ticked", load(own))), *inner]
                parts.append(ast.Name(own, STORE))
            elif isinstance(part, ast.Starred):
                parts.append(ast.Starred(self.unpacking_target(part.value, later), STORE))
            else:
                parts.append(self.unpacking_target(part, later))
        return type(target)(parts, STORE)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        if node.value is None:
            return ast.Pass()
        value = self.visit(node.value)
        return ast.Assign([self.assignment_target(node.target)], value)

    def assignment_target(self, node: ast.expr) -> ast.expr:
        """Return the replacement of an assignment target: a variable, an item, a slice, or a tuple or list of targets.

        At run time, an assignment to a slice checks the new size of the list.
        """
        if isinstance(node, ast.Subscript):
            key = self.visit(node.slice)
            container = self.visit(node.value)
            if isinstance(node.slice, ast.Slice):
                container = call("_sliced", container)
            return ast.Subscript(container, key, node.ctx)
        if isinstance(node, (ast.Tuple, ast.List)):
            return type(node)([self.assignment_target(element) for element in node.elts], node.ctx)
        if isinstance(node, ast.Starred):
            return ast.Starred(self.assignment_target(node.value), node.ctx)
        target: ast.expr = self.visit(node)
        return target

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt | list[ast.stmt]:
        target = node.target
        before: list[ast.stmt] = []
        if isinstance(target, ast.Subscript):
            container, key = self.new_temporary() or "", self.new_temporary() or ""
            before = [assign(container, self.visit(target.value)), assign(key, self.visit(target.slice))]
            read: ast.expr = ast.Subscript(load(container), load(key), LOAD)
            written: ast.expr = ast.Subscript(load(container), load(key), STORE)
        else:
            read = self.visit(type(target)(target.id, LOAD) if isinstance(target, ast.Name) else target)
            written = self.visit(target)
        value = self.visit(node.value)
        return [*before, ast.Assign([written], self.in_place_value(node.op, read, value))]

    def in_place_value(self, operator: ast.operator, left: ast.expr, right: ast.expr) -> ast.expr:
        """Return an expression for the value that ``left op= right`` assigns.

        At run time it raises OverflowError if the value would be too large.
        """
        if isinstance(operator, (ast.Add, ast.Mult)):
            return self.checked_operation(operator, left, right, in_place=True)
        if isinstance(operator, (ast.Pow, ast.LShift, ast.Mod)):
            return self.checked_operation(operator, left, right)
        return call("_in_place_" + type(operator).__name__, left, right)

    def visit_Delete(self, node: ast.Delete) -> list[ast.stmt]:
        return [self.deletion(target) for target in _flatten_targets(node.targets)]

    def deletion(self, target: ast.expr) -> ast.stmt:
        """Return the statement that deletes one target of a ``del``: a variable or an item."""
        if isinstance(target, ast.Name) and not self.is_local(target.id):
            return ast.Expr(call("_delete_variable", load(SCOPE), constant(target.id)))
        return ast.Delete([self.visit(target)])

    def visit_If(self, node: ast.If) -> ast.stmt:
        return ast.If(self.visit(node.test), self.visit_block(node.body), self.visit_block(node.orelse))

    def visit_For(self, node: ast.For) -> ast.stmt:
        self.require_budget()
        items = call("_compress", metered_unpacking(self.visit(node.iter), node.target), load(TICKS))
        later: list[ast.stmt] = []
        target = self.unpacking_target(node.target, later)
        return ast.For(target, items, [*later, *self.visit_block(node.body)], self.visit_block(node.orelse))

    def visit_While(self, node: ast.While) -> ast.stmt:
        self.require_budget()
        tick = ast.Expr(ast.Call(load(TICK), [], []))
        return ast.While(self.visit(node.test), [tick, *self.visit_block(node.body)], self.visit_block(node.orelse))

    def visit_With(self, node: ast.With) -> ast.stmt:
        later: list[ast.stmt] = []
        items = []
        for part in node.items:
            manager, target = self.visit(part.context_expr), part.optional_vars
            if target is not None:  # a starred target must be part of a list to be metered
                wrapped = ast.List([target], STORE) if has_starred(target) else target
                target = self.unpacking_target(wrapped, later)
                target = (
                    target.elts[0] if isinstance(target, ast.List) and wrapped is not part.optional_vars else target
                )
            items.append(ast.withitem(manager, target))
        return ast.With(items, [*later, *self.visit_block(node.body)])

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        error = ast.Call(load("AssertionError"), [self.visit(node.msg)] if node.msg else [], [])
        return ast.If(ast.UnaryOp(ast.Not(), self.visit(node.test)), [ast.Raise(error, None)], [])

    def visit_Raise(self, node: ast.Raise) -> ast.stmt:
        if node.exc is None:
            return ast.Raise(None, None)
        return ast.Raise(call("_raisable", self.visit(node.exc)), self.visit(node.cause) if node.cause else None)

    def visit_Try(self, node: ast.Try) -> ast.stmt:
        body, handlers = self.visit_block(node.body), [self.except_handler(handler) for handler in node.handlers]
        if handlers:
            handlers.insert(0, ast.ExceptHandler(load("_Uncatchable"), None, [ast.Raise(None, None)]))
        return ast.Try(body, handlers, self.visit_block(node.orelse), self.visit_block(node.finalbody))

    def except_handler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        """Return the replacement of an ``except`` clause, which catches only subclasses of Exception.

        A cancellation is thus not caught, even by ``except BaseException``. As in Python, the variable of the exception
        is deleted at the end of the clause.
        """
        kinds = call("_catchable_types", self.visit(node.type)) if node.type else load("Exception")
        body = self.visit_block(node.body)
        name = node.name
        if name is None or name.startswith("_") or "@" in name or self.is_local(name):
            return ast.ExceptHandler(kinds, name, body)
        own = self.new_temporary() or ""
        store = ast.Assign([scope_variable(name, STORE)], load(own))
        forget = ast.Expr(call("_discard_variable", load(SCOPE), constant(name)))
        return ast.ExceptHandler(kinds, own, [store, ast.Try(body, [], [], [forget])])


def has_starred(target: ast.expr) -> bool:
    """Return whether an assignment target is a tuple or list with a starred part, such as ``a, *b``.

    Unpacking to such a target takes any number of items, so it must charge the budget.
    """
    return isinstance(target, (ast.Tuple, ast.List)) and any(isinstance(part, ast.Starred) for part in target.elts)


def metered_unpacking(items: ast.expr, target: ast.expr) -> ast.expr:
    """Return the iterable of a loop in a form that charges the budget when its items are unpacked.

    Only a ``target`` with a starred part needs it, as in ``for a, *b in items``. For any other target the expression
    ``items`` is returned unchanged.
    """
    return call("_map", load("_ticked"), items) if has_starred(target) else items


def _flatten_targets(targets: Sequence[ast.expr]) -> list[ast.expr]:
    """Return the targets of a ``del`` as a flat list of variables and items: ``a, (b, c[0])`` gives a, b, c[0]."""
    found: list[ast.expr] = []
    for target in targets:
        found.extend(_flatten_targets(target.elts) if isinstance(target, (ast.Tuple, ast.List)) else [target])
    return found
