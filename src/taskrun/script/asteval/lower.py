"""Lowering: prepares a checked script for the evaluator ``asteval`` by finding out what each name refers to.

Rules: a local variable of a function, lambda or comprehension becomes a LocalVariable, which states how many
activations outwards it is found. A plain ``ast.Name`` remains for a variable of the scope or a name of the namespace.
``def`` becomes the assignment of a LoweredFunction. The given tree is changed, so nothing else may use it afterwards.
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
    """AST node of a local variable of a function or comprehension.

    ``hops`` tells in which activation it is found: 0 is the current one, 1 its parent.
    """

    hops: int


class DiscardedTarget(ast.Name):
    """AST node of the name ``_`` outside of functions, as an assignment target: the assigned value is discarded."""


class LoweredExceptHandler(ast.ExceptHandler):
    """AST node of an ``except`` clause; ``target`` is the variable for the exception, None if the clause names none.

    A plain ``ast.ExceptHandler`` has only the name, not whether it is a local variable or one of the scope.
    """

    target: ast.Name | None


class LoweredFunction(ast.expr):
    """AST node of a ``def`` or lambda as an expression; evaluating it creates a ScriptFunction.

    ``signature`` is the code of a native Python function with the same parameters. That function returns its arguments
    as a dict, so that Python itself assigns the arguments of a call to the parameters.
    """

    name: str
    signature: CodeType
    defaults: list[ast.expr]
    keyword_defaults: dict[str, ast.expr]
    body: list[ast.stmt] | ast.expr


@dataclass(frozen=True, slots=True)
class LoweredCode:
    """Script after lowering: ``body`` are its statements.

    If the script is exactly one expression, or one ``return`` with a value, ``expression`` is that expression, else
    None.
    """

    body: tuple[ast.stmt, ...]
    expression: ast.expr | None


def lower(body: list[ast.stmt]) -> LoweredCode:
    """Find out for each name of a script where its variable is stored, and return the script in this form.

    ``body`` are the statements of a script that has passed the checks of the sandbox; they are changed in place.
    """
    lowered: list[ast.stmt] = _Lowering().visit_all(body)
    only = lowered[0] if len(lowered) == 1 else None
    return LoweredCode(tuple(lowered), only.value if isinstance(only, (ast.Expr, ast.Return)) else None)


class _Lowering(ast.NodeTransformer):
    """AST transformer that finds out what names refer to.

    It keeps a list of the local names of the enclosing functions and comprehensions.
    """

    def __init__(self) -> None:
        self.local_names: list[frozenset[str]] = []
        self.function_depths: list[int] = []  # number of levels around each function body

    def visit_all(self, nodes: Iterable[_Node]) -> list[Any]:
        """Transform several AST nodes and return the results in the same order."""
        return [self.visit(node) for node in nodes]

    def resolve_name(self, node: ast.Name, depth: int) -> ast.Name:
        """Return the AST node that replaces a name.

        It is a LocalVariable for a local variable, a DiscardedTarget for ``_``, and the node itself for a variable of
        the scope. Only the ``depth`` outermost functions and comprehensions are searched for a local variable.
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
        """Return the LoweredFunction for a ``def`` or lambda.

        Its default values are lowered outside of the function, because Python evaluates them where the function is
        defined.
        """
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
    """Return the code of ``lambda a, …: {"a": a, …}`` for the parameters of a function.

    A call of this lambda assigns arguments to parameters exactly as Python does, and raises Python's errors for wrong
    ones.
    """
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
