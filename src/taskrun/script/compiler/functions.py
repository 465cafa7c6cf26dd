"""Emitter of functions, lambdas and comprehensions: they become native Python ones that charge the budget.

Rules: arguments, closures and scopes are exactly Python's. Each call of a function and each iteration of a
comprehension consumes one tick. A function may be called after the evaluation that defined it has ended, for example as
a callback; each such call renews the budget. A lambda without calls and comprehensions needs no budget.
"""

# ruff: noqa: D102 - a method visit_<Node> returns the guarded replacement of that node

from __future__ import annotations

import ast
from typing import Final

from taskrun.script.compiler.ast_builders import BUDGET, STORE, TICK, TICKS, assign, call, load, scope_variable
from taskrun.script.compiler.statements import StatementEmitter, metered_unpacking
from taskrun.script.parameters import without_annotations
from taskrun.script.variables import Comprehension, function_names, iteration_names

_METERED_NODES = (ast.Call, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_HAS_OUTLIVED = "_o"  # whether the evaluation had ended when the function was called


class FunctionEmitter(StatementEmitter):
    """Emitter of functions, lambdas and comprehensions: returns native Python ones that charge the budget."""

    def visit_parameters(self, node: ast.arguments) -> ast.arguments:
        """Return the parameters of a function without annotations and with guarded replacements of default values."""
        keyword_defaults = [self.visit(default) if default else None for default in node.kw_defaults]
        return without_annotations(node, defaults=self.visit_all(node.defaults), keyword_defaults=keyword_defaults)

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        arguments = self.visit_parameters(node.args)
        self.enter_function(node)
        body = self.visit(node.body)
        self.leave_function()
        if any(isinstance(part, _METERED_NODES) for part in ast.walk(node.body)):
            self.require_budget()
            bare = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
            body = call("_metered_lambda", load(BUDGET), ast.Lambda(bare, body))
        return ast.Lambda(arguments, body)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> list[ast.stmt]:
        self.require_budget()
        if node.name.startswith("_") and node.name != "_" and "@" not in node.name:
            raise AssertionError(f"the sandbox checks did not refuse the name '{node.name}'")
        arguments = self.visit_parameters(node.args)
        self.enter_function(node)
        body = self.visit_block(node.body)
        self.leave_function()
        nonlocals = [part for part in body if isinstance(part, ast.Nonlocal)]
        rest = [part for part in body if not isinstance(part, ast.Nonlocal)]
        renew = ast.If(load(_HAS_OUTLIVED), [ast.Expr(ast.Call(_budget_attribute("renew"), [], []))], [])
        end = ast.If(load(_HAS_OUTLIVED), [ast.Expr(ast.Call(_budget_attribute("end"), [], []))], [])
        tick = ast.Expr(ast.Call(load(TICK), [], []))
        whole = [
            *nonlocals,
            assign(_HAS_OUTLIVED, _budget_attribute("ended")),
            renew,
            ast.Try([tick, *rest], [], [], [end]),
        ]
        defined = ast.FunctionDef(node.name, arguments, whole, [], None)
        if self.is_local(node.name) or "@" in node.name:
            return [defined]
        return [defined, ast.Assign([scope_variable(node.name, STORE)], load(node.name))]

    def enter_function(self, node: ast.FunctionDef | ast.Lambda) -> None:
        """Begin a function, in which its parameters and local variables resolve to Python variables.

        The function ends with ``leave_function``.
        """
        self.local_names.append(function_names(node))
        self.function_depths.append(len(self.local_names))

    def leave_function(self) -> None:
        """End the innermost function that ``enter_function`` began: its local names are no longer known."""
        self.local_names.pop()
        self.function_depths.pop()

    def emit_comprehension(self, node: Comprehension) -> ast.expr:
        """Return the replacement of a comprehension, in which each iteration charges the budget one tick.

        The first iterable is replaced before the iteration variables become local, because Python evaluates it outside
        of the comprehension.
        """
        self.require_budget()
        first = node.generators[0]
        outermost = self.visit_iterable(first.iter)
        self.local_names.append(iteration_names(node))
        for generator in node.generators:
            items = outermost if generator is first else self.visit_iterable(generator.iter)
            generator.iter = call("_compress", metered_unpacking(items, generator.target), load(TICKS))
            generator.target = self.assignment_target(generator.target)
            generator.ifs = self.visit_all(generator.ifs)
        if isinstance(node, ast.DictComp):
            node.key, node.value = self.visit(node.key), self.visit(node.value)
        else:
            node.elt = self.visit(node.elt)
        self.local_names.pop()
        return node

    visit_ListComp: Final = emit_comprehension
    visit_SetComp: Final = emit_comprehension
    visit_DictComp: Final = emit_comprehension
    visit_GeneratorExp: Final = emit_comprehension


def _budget_attribute(name: str) -> ast.Attribute:
    """Return the AST node that reads the attribute ``name`` of the budget of the evaluation."""
    return ast.Attribute(load(BUDGET), name, ast.Load())
