"""Emitter of functions, lambdas and comprehensions.

Rules: they become native ones, so that arguments, closures and scopes are exactly Python's. A call of a function and an
iteration of a comprehension consume a tick of the budget each. A function may outlive its evaluation; each call then
renews the budget. A lambda that neither calls nor iterates needs no budget.
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
    """Emitter of functions, lambdas and comprehensions: returns native ones that charge the budget."""

    def visit_parameters(self, node: ast.arguments) -> ast.arguments:
        """Return the parameters of a function without annotations, with the replacements of their default values."""
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
        """Push the local names of a function, so that names in it resolve to Python variables."""
        self.local_names.append(function_names(node))
        self.function_depths.append(len(self.local_names))

    def leave_function(self) -> None:
        """Pop the local names of the innermost function."""
        self.local_names.pop()
        self.function_depths.pop()

    def emit_comprehension(self, node: Comprehension) -> ast.expr:
        """Return the replacement of a comprehension, in which each iteration charges the budget.

        The first iterable is replaced before the iteration variables are local, because Python evaluates it outside.
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
    """Return the AST node that reads an attribute of the budget."""
    return ast.Attribute(load(BUDGET), name, ast.Load())
