"""Translator: the state of the translation of one XScript, and the operations that all node handlers share.

Rules: a node handler translates one kind of syntax node; it is a function ``(translator, node)``. This module imports
no handlers: ``translate`` passes their tables to the translator. A Python lambda cannot contain statements. A function
that needs them is therefore hoisted: it is defined right before the statement that contains it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from taskrun.script.ir import intrinsic
from taskrun.script.problems import UNSUPPORTED, Problem, ProblemsError
from taskrun.script.xscript.jump_targets import JumpTargets
from taskrun.script.xscript.parse import SyntaxNode
from taskrun.script.xscript.variables import XScriptVariables

_Node = TypeVar("_Node", bound=ast.AST)

ExpressionHandlers = Mapping[str, Callable[["Translator", SyntaxNode], ast.expr]]
"""For each kind of syntax node that is an expression its handler: the function that returns the Python expression."""

StatementHandlers = Mapping[str, Callable[["Translator", SyntaxNode], list[ast.stmt]]]
"""For each kind of syntax node that is a statement its handler: the function that returns the Python statements."""


@dataclass(slots=True)
class Translator:
    """State of the translation of one XScript; translates syntax nodes with two tables of node handlers.

    Attributes:
        position: The function that returns the line (from 1) and column (UTF-8 bytes from 0) of an index in the text.
        expression_handlers: The handlers of the expressions, by the kind of syntax node.
        statement_handlers: The handlers of the statements, by the kind of syntax node.
        variables: The variables that are known at the current position.
        jumps: The functions, loops and ``switch`` statements around the current position.
        hoisted: The Python statements to insert before the current statement.
        imports: For each imported name its dotted path (empty for a Java class) and the index of the import in the
            text.
    """

    position: Callable[[int], tuple[int, int]]
    expression_handlers: ExpressionHandlers
    statement_handlers: StatementHandlers
    variables: XScriptVariables = field(default_factory=XScriptVariables)
    jumps: JumpTargets = field(default_factory=JumpTargets)
    hoisted: list[ast.stmt] = field(default_factory=list)
    imports: dict[str, tuple[str, int]] = field(default_factory=dict)

    def with_position(self, tree: _Node, node: SyntaxNode) -> _Node:
        """Give each AST node inside ``tree`` that has no position the position of ``node``, and return ``tree``.

        ``node`` is the XScript syntax node that the AST was translated from.
        """
        line, column = self.position(node.start)
        todo: list[ast.AST] = [tree]
        while todo:
            item: Any = todo.pop()
            if hasattr(item, "lineno"):
                continue
            item.lineno, item.col_offset = line, column
            item.end_lineno, item.end_col_offset = line, column + 1
            todo.extend(ast.iter_child_nodes(item))
        return tree

    def temporary(self) -> str:
        """Return a new name for a Python variable that contains an intermediate value."""
        return self.variables.unique_name("t")

    def expression(self, node: SyntaxNode) -> ast.expr:
        """Return the Python expression for the syntax node of an XScript expression."""
        return self.with_position(self.expression_handlers[node.kind](self, node), node)

    def condition(self, node: SyntaxNode) -> ast.expr:
        """Return a Python expression that is true or false by the rules of XScript, for which an empty list is true."""
        value = self.expression(node)
        if isinstance(value, ast.Compare) or (isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not)):
            return value
        return self.with_position(intrinsic("truth", value), node)

    def statement(self, node: SyntaxNode) -> list[ast.stmt]:
        """Return the Python statements for one XScript statement.

        Arrow functions in it that cannot be lambdas are defined before it.
        """
        outer, self.hoisted = self.hoisted, []
        made = self.statement_handlers[node.kind](self, node)
        whole = [*self.hoisted, *made]
        self.hoisted = outer
        for statement in whole:
            self.with_position(statement, node)
        return whole

    def block(self, statements: Sequence[SyntaxNode]) -> list[ast.stmt]:
        """Return the Python statements of a block of code.

        Functions come first, because they may be called before their declaration.
        """
        outer, self.hoisted = self.hoisted, []
        done: list[ast.stmt] = []
        flat = [node.nodes[0] if node.kind == "statement" and node.nodes else node for node in statements]
        for node in flat:
            if node.kind == "function":
                self.variables.declare(node.children[0].text)
        for node in sorted(flat, key=lambda node: node.kind != "function"):
            done += self.statement(node)
        self.hoisted = outer
        return done

    def body(self, node: SyntaxNode) -> list[ast.stmt]:
        """Return the Python statements for what is inside a loop, a condition or a ``try``; at least ``pass``.

        Names that are declared inside are local to it.
        """
        if node.kind == "statement":
            node = node.nodes[0]
        self.variables.open_block()
        statements = self.block(node.nodes) if node.kind == "block" else self.statement(node)
        self.variables.close_block()
        return statements or [self.with_position(ast.Pass(), node)]


def is_null(value: ast.expr) -> ast.Compare:
    """Return the AST node of ``value is None``: null in XScript is None in Python."""
    return ast.Compare(value, [ast.Is()], [ast.Constant(None)])


def unsupported(node: SyntaxNode, message: str, hint: str) -> ProblemsError:
    """Return the error for the construct ``node``, which XScript does not support; the caller raises it."""
    return ProblemsError([Problem(node.start, UNSUPPORTED, message, hint)])
