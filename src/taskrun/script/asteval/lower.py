"""A checked program, made ready for the evaluator: where each variable lives is worked out once, here.

Rules: a plain ``ast.Name`` lives in the flow's scope (or the table of names); what is local to a function, a lambda
or a comprehension becomes a LocalVariable, which says how many of these to go outwards. ``def`` becomes the assignment of a
LoweredFunction, an exception handler's name a target. The given tree is changed; nothing else may use it afterwards.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from types import CodeType
from typing import Any, TypeVar

from taskrun.script.variables import Comprehension, function_names, iteration_names, parameters

_Node = TypeVar("_Node", bound=ast.AST)


class LocalVariable(ast.Name):
    """A variable of the function or comprehension ``hops`` levels outwards."""

    hops: int


class DiscardedTarget(ast.Name):
    """The target ``_`` of a program: what is assigned to it is forgotten."""


class LoweredExceptHandler(ast.ExceptHandler):
    """An exception handler; ``target`` is where the exception is bound."""

    target: ast.Name | None


class LoweredFunction(ast.expr):
    """A function or lambda: an expression whose value is callable.

    ``signature`` is the code of a native function with the same parameters that returns them as a dict.
    """

    name: str
    signature: CodeType
    defaults: list[ast.expr]
    keyword_defaults: dict[str, ast.expr]
    body: list[ast.stmt] | ast.expr


@dataclass(frozen=True, slots=True)
class LoweredCode:
    """What the evaluator runs: the statements, or the only expression."""

    body: tuple[ast.stmt, ...]
    expression: ast.expr | None


def lower(body: list[ast.stmt]) -> LoweredCode:
    """Return the code of a program that has passed all checks."""
    lowered: list[ast.stmt] = _Lowering().visit_all(body)
    only = lowered[0] if len(lowered) == 1 else None
    return LoweredCode(tuple(lowered), only.value if isinstance(only, (ast.Expr, ast.Return)) else None)


class _Lowering(ast.NodeTransformer):
    """Knows the local names of the functions and comprehensions around a node, innermost last."""

    def __init__(self) -> None:
        self.local_names: list[frozenset[str]] = []
        self.function_depths: list[int] = []  # the levels that are not comprehensions

    def visit_all(self, nodes: Iterable[_Node]) -> list[Any]:
        return [self.visit(node) for node in nodes]

    def resolve_name(self, node: ast.Name, level: int) -> ast.Name:
        """Return the variable that ``node`` means when only the ``level`` outermost levels are looked at."""
        for index in range(level - 1, -1, -1):
            if node.id in self.local_names[index]:
                local = LocalVariable(id=node.id, ctx=node.ctx)
                local.hops = len(self.local_names) - 1 - index
                return ast.copy_location(local, node)
        if node.id == "_":
            return ast.copy_location(DiscardedTarget(id=node.id, ctx=node.ctx), node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return self.resolve_name(node, len(self.local_names))

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.AST:
        node.target = self.resolve_name(node.target, self.function_depths[-1] if self.function_depths else 0)
        node.value = self.visit(node.value)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.target = self.visit(node.target)
        node.value = self.visit(node.value) if node.value else None
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        handler = LoweredExceptHandler(
            type=self.visit(node.type) if node.type else None, name=node.name, body=self.visit_all(node.body)
        )
        target = ast.copy_location(ast.Name(id=node.name, ctx=ast.Store()), node) if node.name else None
        handler.target = self.visit_Name(target) if target else None
        return ast.copy_location(handler, node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self.lower_function("<lambda>", node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        function = self.lower_function(node.name, node)
        target = self.visit_Name(ast.copy_location(ast.Name(id=node.name, ctx=ast.Store()), node))
        return ast.copy_location(ast.Assign(targets=[target], value=function), node)

    def lower_function(self, name: str, node: ast.Lambda | ast.FunctionDef) -> LoweredFunction:
        arguments = node.args
        function = LoweredFunction()
        function.name = name
        function.defaults = self.visit_all(arguments.defaults)
        function.keyword_defaults = {
            argument.arg: self.visit(default)
            for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
            if default
        }
        function.signature = _signature(arguments)
        self.local_names.append(function_names(node))
        self.function_depths.append(len(self.local_names))
        function.body = self.visit_all(node.body) if isinstance(node.body, list) else self.visit(node.body)
        self.function_depths.pop()
        self.local_names.pop()
        return ast.copy_location(function, node)

    def visit_comprehensions(self, node: Comprehension) -> ast.AST:
        first = node.generators[0]
        first.iter = self.visit(first.iter)
        self.local_names.append(iteration_names(node))
        for generator in node.generators:
            generator.target = self.visit(generator.target)
            generator.iter = generator.iter if generator is first else self.visit(generator.iter)
            generator.ifs = self.visit_all(generator.ifs)
        if isinstance(node, ast.DictComp):
            node.key, node.value = self.visit(node.key), self.visit(node.value)
        else:
            node.elt = self.visit(node.elt)
        self.local_names.pop()
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_comprehensions


def _signature(arguments: ast.arguments) -> CodeType:
    """Return the code of ``lambda …: {"a": a, …}``, which binds arguments exactly as Python does."""
    names = [parameter.arg for parameter in parameters(arguments)]
    listed = ast.Dict(
        keys=[ast.Constant(name) for name in names], values=[ast.Name(name, ast.Load()) for name in names]
    )
    binder = ast.Lambda(args=_bare(arguments), body=listed)
    tree = ast.fix_missing_locations(ast.Expression(binder))
    module = compile(tree, "<signature>", "eval", dont_inherit=True)
    return next(constant for constant in module.co_consts if isinstance(constant, CodeType))


def _bare(arguments: ast.arguments) -> ast.arguments:
    """Return the parameters without annotations; which of them have defaults is decided when the function is made."""

    def plain(argument: ast.arg | None) -> ast.arg | None:
        return ast.arg(argument.arg) if argument else None

    def listed(group: list[ast.arg]) -> list[ast.arg]:
        return [ast.arg(argument.arg) for argument in group]

    return ast.arguments(
        posonlyargs=listed(arguments.posonlyargs),
        args=listed(arguments.args),
        vararg=plain(arguments.vararg),
        kwonlyargs=listed(arguments.kwonlyargs),
        kw_defaults=[None for _ in arguments.kwonlyargs],
        kwarg=plain(arguments.kwarg),
        defaults=[],
    )
