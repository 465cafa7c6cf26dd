"""Translation of the functions of XScript, and of patterns such as ``[a, {b}]``, which take values apart.

Rules: a parameter without argument is null, surplus arguments are ignored. An arrow function whose result is a plain
expression becomes a lambda. Any other function becomes a ``def`` before the statement that contains it.
"""

# ruff: noqa: D102 - a method on_<rule> translates the expression of that grammar rule

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from taskrun.script.ir import LocalName
from taskrun.script.xscript.expressions import ExpressionTranslator, is_null
from taskrun.script.xscript.parse import SyntaxNode
from taskrun.script.xscript.variables import LOAD, STORE


class FunctionTranslator(ExpressionTranslator):
    """Translator of XScript functions and of patterns such as ``[a, {b}]`` to Python's AST."""

    hoisted: list[ast.stmt]

    def block(self, statements: Sequence[SyntaxNode]) -> list[ast.stmt]:
        """Return the Python statements for the XScript statements of a block of code.

        The subclass StatementTranslator implements it.
        """
        raise NotImplementedError

    def on_arrow(self, node: SyntaxNode) -> ast.expr:
        return self.arrow_function(node, node.nodes[0].nodes, node.nodes[-1])

    def on_arrow_of_one(self, node: SyntaxNode) -> ast.expr:
        token = node.children[0]
        pattern = SyntaxNode("name_pattern", (token,), token.start, token.end)
        return self.arrow_function(node, [SyntaxNode("parameter", (pattern,), token.start, token.end)], node.nodes[-1])

    def arrow_function(self, node: SyntaxNode, parameters: Sequence[SyntaxNode], body: SyntaxNode) -> ast.expr:
        """Return an expression for an arrow function: a lambda, or the name of a function that is defined by ``def``.

        A ``def`` is needed if the function contains statements, or patterns that take its arguments apart. It is added
        to ``hoisted``, so that it stands before the statement that contains the arrow function.
        """
        outer, self.hoisted = self.hoisted, []
        defaults = [self._default_value(parameter) for parameter in parameters]
        outer += self.hoisted
        self.enter_function()
        self.hoisted = []
        arguments, prelude = self.translate_parameters(parameters, defaults)
        is_block = body.kind == "block"
        value = None if is_block else self.expression(body)
        statements = (
            self.block(body.nodes) if is_block else [*self.hoisted, self.with_position(ast.Return(value), body)]
        )
        assigned = self.leave_function()
        before, self.hoisted = self.hoisted, outer
        if value is not None and not (before or prelude or assigned):
            return ast.Lambda(arguments, value)
        name = self.variables.unique_name("arrow")
        self.hoisted.append(
            self.with_position(self._definition(name, arguments, [*prelude, *statements], assigned), node)
        )
        return LocalName(name, LOAD)

    def declared_function(self, node: SyntaxNode) -> list[ast.stmt]:
        """Return the ``def`` for ``function name() { … }``.

        Outside of blocks the name is a variable of the scope; a statement that assigns the function to it is then
        added.
        """
        token, parameters, *rest = node.children
        target = self.variables.declare(token.text)
        defaults = [self._default_value(parameter) for parameter in parameters.nodes]
        self.enter_function()
        arguments, prelude = self.translate_parameters(parameters.nodes, defaults)
        statements = self.block(rest[-1].nodes)
        assigned = self.leave_function()
        name = target.id if isinstance(target, LocalName) else self.variables.unique_name(token.text)
        defined = self._definition(name, arguments, [*prelude, *statements], assigned)
        return [defined] if isinstance(target, LocalName) else [defined, ast.Assign([target], LocalName(name, LOAD))]

    def enter_function(self) -> None:
        """Begin a function: its parameters and variables are declared in a new block of names.

        The block ends with ``leave_function``.
        """
        self.variables.functions.append(set())
        self.variables.open_block()

    def leave_function(self) -> set[str]:
        """End the innermost function, and return the variables of outer functions and blocks that it assigns.

        They are internal names such as ``x@3``, for the ``nonlocal`` statement at the start of the function.
        """
        self.variables.close_block()
        return self.variables.functions.pop()

    def _definition(self, name: str, arguments: ast.arguments, body: list[ast.stmt], assigned: set[str]) -> ast.stmt:
        """Return the AST node of a ``def``, whose first statement declares the variables ``assigned`` as nonlocal."""
        outer: list[ast.stmt] = [ast.Nonlocal(sorted(assigned))] if assigned else []
        return ast.FunctionDef(name, arguments, [*outer, *(body or [ast.Pass()])], [], None)

    def _default_value(self, parameter: SyntaxNode) -> ast.expr:
        """Return the expression for the default value of a parameter; it is null (None in Python) if there is none."""
        values = [child for child in parameter.nodes[1:] if child.kind != "type"]
        return self.expression(values[0]) if parameter.kind == "parameter" and values else ast.Constant(None)

    def translate_parameters(
        self, parameters: Sequence[SyntaxNode], defaults: Sequence[ast.expr]
    ) -> tuple[ast.arguments, list[ast.stmt]]:
        """Return the Python parameters of a function, and the statements that must be executed at its start.

        These statements take apart the arguments whose parameter is a pattern, as in ``({a, b}) => a + b``, and make a
        list of ``...rest``. Parameters: ``defaults`` are the expressions for the default values.
        """
        names: list[ast.arg] = []
        prelude: list[ast.stmt] = []
        rest = ast.arg(self.variables.unique_name("rest"))
        for parameter in parameters:
            first = parameter.children[0]
            if parameter.kind == "rest":
                rest = ast.arg(self.variables.unique_name("rest"))
                target = self.variables.declare(first.text)
                values = self.operation("rest_list", LocalName(rest.arg, LOAD))
                prelude.append(self.with_position(ast.Assign([target], values), parameter))
            elif first.kind == "name_pattern":
                names.append(ast.arg(self.variables.declare(first.children[0].text).id))
            else:
                own = self.variables.unique_name("argument")
                names.append(ast.arg(own))
                prelude += self.destructure(first, LocalName(own, LOAD), self.variables.declare)
        listed = ast.arguments(
            posonlyargs=[],
            args=names,
            vararg=rest,
            kwonlyargs=[],
            kw_defaults=[],
            defaults=list(defaults[: len(names)]),
        )
        return listed, prelude

    def destructure(self, pattern: SyntaxNode, value: ast.expr, bind: Callable[[str], ast.Name]) -> list[ast.stmt]:
        """Return the statements that assign parts of ``value`` to the names in a pattern such as ``[a, {b}]``.

        Parameters: ``bind`` returns the assignment target for a name.
        """
        if pattern.kind == "name_pattern":
            return [self.with_position(ast.Assign([bind(pattern.children[0].text)], value), pattern)]
        own = self.temporary()
        statements: list[ast.stmt] = [self.with_position(ast.Assign([LocalName(own, STORE)], value), pattern)]
        taken: list[ast.expr] = []
        for position, node in enumerate(pattern.nodes):
            whole = LocalName(own, LOAD)
            if node.kind == "rest":
                keys = ast.List(taken, LOAD) if pattern.kind == "map_pattern" else ast.Constant(position)
                remaining = self.operation("remaining", whole, keys)
                statements.append(self.with_position(ast.Assign([bind(node.children[0].text)], remaining), node))
                continue
            if pattern.kind == "map_pattern":
                key: ast.expr = self.with_position(ast.Constant(node.children[0].text), node)
                inner = next((child for child in node.nodes if child.kind.endswith("_pattern")), None)
                inner = inner or SyntaxNode("name_pattern", (node.children[0],), node.start, node.end)
                read = self.operation("member", whole, key)
            else:
                key, inner = self.with_position(ast.Constant(position), node), node.nodes[0]
                read = self.operation("item", whole, key)
            taken.append(key)
            default = next((child for child in node.nodes if not child.kind.endswith("_pattern")), None)
            found: ast.expr = read
            if default is not None:
                name = self.temporary()
                test = is_null(ast.NamedExpr(LocalName(name, STORE), read))
                found = ast.IfExp(test, self.expression(default), LocalName(name, LOAD))
            statements += self.destructure(inner, found, bind)
        return statements
