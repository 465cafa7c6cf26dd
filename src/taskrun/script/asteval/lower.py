"""Lowering of a checked script for the evaluator ``asteval``: resolves each variable to the scope or an activation.

Rules: a plain ``ast.Name`` is a variable of the scope or a name of the namespace; a local variable of a function,
lambda or comprehension becomes a LocalVariable with the number of levels to go outwards. ``def`` becomes the assignment
of a LoweredFunction. The given tree is changed, so nothing else may use it afterwards.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from types import CodeType
from typing import Any, TypeVar

from taskrun.script.parameters import without_annotations
from taskrun.script.variables import Comprehension, function_names, iteration_names, parameters

_Node = TypeVar("_Node", bound=ast.AST)


class LocalVariable(ast.Name):
    """AST node of a local variable of the function or comprehension that is ``hops`` levels outwards."""

    hops: int


class DiscardedTarget(ast.Name):
    """AST node of the assignment target ``_`` outside of functions: assigned values are discarded."""


class LoweredExceptHandler(ast.ExceptHandler):
    """AST node of an ``except`` clause; ``target`` is the resolved variable that receives the exception."""

    target: ast.Name | None


class LoweredFunction(ast.expr):
    """AST node of a ``def`` or lambda as an expression; evaluating it creates a ScriptFunction.

    ``signature`` is the code of a native function with the same parameters; it returns its arguments as a dict.
    """

    name: str
    signature: CodeType
    defaults: list[ast.expr]
    keyword_defaults: dict[str, ast.expr]
    body: list[ast.stmt] | ast.expr


@dataclass(frozen=True, slots=True)
class LoweredCode:
    """Script with resolved names: its statements, and the expression if the script is exactly one expression."""

    body: tuple[ast.stmt, ...]
    expression: ast.expr | None


def lower(body: list[ast.stmt]) -> LoweredCode:
    """Resolve the names of a script that has passed the checks of the sandbox; ``body`` is changed in place."""
    lowered: list[ast.stmt] = _Lowering().visit_all(body)
    only = lowered[0] if len(lowered) == 1 else None
    return LoweredCode(tuple(lowered), only.value if isinstance(only, (ast.Expr, ast.Return)) else None)


class _Lowering(ast.NodeTransformer):
    """AST transformer that resolves names; tracks the local names of the enclosing functions and comprehensions."""

    def __init__(self) -> None:
        self.local_names: list[frozenset[str]] = []
        self.function_depths: list[int] = []  # number of levels around each function body

    def visit_all(self, nodes: Iterable[_Node]) -> list[Any]:
        """Transform several AST nodes and return the results."""
        return [self.visit(node) for node in nodes]

    def resolve_name(self, node: ast.Name, depth: int) -> ast.Name:
        """Return a LocalVariable, a DiscardedTarget or, for a variable of the scope, the node itself.

        Only the ``depth`` outermost functions and comprehensions are searched for a local variable of that name.
        """
        for index in range(depth - 1, -1, -1):
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
        """Return the LoweredFunction for a ``def`` or lambda; default values are evaluated where it is defined."""
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
    """Return the code of ``lambda a, …: {"a": a, …}``: calling it binds arguments to parameters as Python does."""
    names = [parameter.arg for parameter in parameters(arguments)]
    listed = ast.Dict(
        keys=[ast.Constant(name) for name in names], values=[ast.Name(name, ast.Load()) for name in names]
    )
    binder = ast.Lambda(
        args=without_annotations(arguments, defaults=(), keyword_defaults=[None] * len(arguments.kwonlyargs)),
        body=listed,
    )
    tree = ast.fix_missing_locations(ast.Expression(binder))
    module = compile(tree, "<signature>", "eval", dont_inherit=True)
    return next(constant for constant in module.co_consts if isinstance(constant, CodeType))
