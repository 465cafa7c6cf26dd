"""The handlers of what has variables of its own: functions, lambdas, comprehensions.

Rules: they become native ones, so arguments, closures and scopes are exactly Python's. A call of a function and a turn
of a comprehension cost a tick. A function may outlive its evaluation; it then begins the budget anew for each call. A
lambda that neither calls nor iterates needs no budget.
"""

# ruff: noqa: D102 - a handler turns the node it is named for into what does the same, guarded

from __future__ import annotations

import ast

from taskrun.script.compiler.ast_builders import BUDGET, STORE, TICK, TICKS, assign, call, item, load
from taskrun.script.compiler.statements import Statements, each_taken_apart
from taskrun.script.variables import Comprehension, function_names, iteration_names

_UNBOUNDED = (ast.Call, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_OUTLIVES = "_o"  # whether this call is one of a function that outlived its evaluation


class Functions(Statements):
    """Definitions and comprehensions."""

    def arguments(self, node: ast.arguments) -> ast.arguments:
        """Return the parameters without annotations, their defaults visited."""

        def plain(argument: ast.arg | None) -> ast.arg | None:
            return ast.arg(argument.arg) if argument else None

        return ast.arguments(
            posonlyargs=[ast.arg(argument.arg) for argument in node.posonlyargs],
            args=[ast.arg(argument.arg) for argument in node.args],
            vararg=plain(node.vararg),
            kwonlyargs=[ast.arg(argument.arg) for argument in node.kwonlyargs],
            kw_defaults=[self.visit(default) if default else None for default in node.kw_defaults],
            kwarg=plain(node.kwarg),
            defaults=self.all(node.defaults),
        )

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        arguments = self.arguments(node.args)
        self.enter(node)
        body = self.visit(node.body)
        self.leave()
        if any(isinstance(part, _UNBOUNDED) for part in ast.walk(node.body)):
            self.budget = True
            bare = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
            body = call("_bounded", load(BUDGET), ast.Lambda(bare, body))
        return ast.Lambda(arguments, body)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> list[ast.stmt]:
        self.budget = True
        if node.name.startswith("_") and node.name != "_" and "@" not in node.name:
            raise AssertionError(f"the name '{node.name}' has passed the checks")
        arguments = self.arguments(node.args)
        self.enter(node)
        body = self.block(node.body)
        self.leave()
        nonlocals = [part for part in body if isinstance(part, ast.Nonlocal)]
        rest = [part for part in body if not isinstance(part, ast.Nonlocal)]
        renew = ast.If(load(_OUTLIVES), [ast.Expr(ast.Call(_of_budget("renew"), [], []))], [])
        end = ast.If(load(_OUTLIVES), [ast.Expr(ast.Call(_of_budget("end"), [], []))], [])
        tick = ast.Expr(ast.Call(load(TICK), [], []))
        whole = [
            *nonlocals,
            assign(_OUTLIVES, _of_budget("ended")),
            renew,
            ast.Try([tick, *rest], [], [], [end]),
        ]
        defined = ast.FunctionDef(node.name, arguments, whole, [], None)
        if self.is_local(node.name) or "@" in node.name:
            return [defined]
        return [defined, ast.Assign([item(node.name, STORE)], load(node.name))]

    def enter(self, node: ast.FunctionDef | ast.Lambda) -> None:
        """Go into a function."""
        self.levels.append(function_names(node))
        self.functions.append(len(self.levels))

    def leave(self) -> None:
        """Come out of a function."""
        self.levels.pop()
        self.functions.pop()

    def comprehension(self, node: Comprehension) -> ast.expr:
        """Visit a comprehension: its first iterable belongs to what is around it."""
        self.budget = True
        first = node.generators[0]
        outermost = self.iterable(first.iter)
        self.levels.append(iteration_names(node))
        for generator in node.generators:
            items = outermost if generator is first else self.iterable(generator.iter)
            generator.iter = call("_compress", each_taken_apart(items, generator.target), load(TICKS))
            generator.target = self.target(generator.target)
            generator.ifs = self.all(generator.ifs)
        if isinstance(node, ast.DictComp):
            node.key, node.value = self.visit(node.key), self.visit(node.value)
        else:
            node.elt = self.visit(node.elt)
        self.levels.pop()
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = comprehension


def _of_budget(name: str) -> ast.Attribute:
    return ast.Attribute(load(BUDGET), name, ast.Load())
