"""Functions of XScript: arrow functions and declared ones.

Rules: a parameter that is not given is null, what is given too much is ignored. An arrow function whose body is an
expression becomes a lambda; any other function is defined before the statement in which it stands.
"""

# ruff: noqa: D102 - a handler translates the node it is named for

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from taskrun.script.ir import LocalName
from taskrun.script.xscript.expressions import Expressions
from taskrun.script.xscript.parse import Part
from taskrun.script.xscript.variables import LOAD, STORE


class Functions(Expressions):
    """Translates functions, and the patterns that take values apart."""

    def block(self, statements: Sequence[Part]) -> list[ast.stmt]:
        """Return the statements of a block."""
        raise NotImplementedError

    def on_arrow(self, part: Part) -> ast.expr:
        return self.function(part, part.nodes[0].nodes, part.nodes[-1])

    def on_arrow_of_one(self, part: Part) -> ast.expr:
        word = part.parts[0]
        pattern = Part("name_pattern", (word,), word.start, word.end)
        return self.function(part, [Part("parameter", (pattern,), word.start, word.end)], part.nodes[-1])

    def function(self, part: Part, parameters: Sequence[Part], body: Part) -> ast.expr:
        """Return an arrow function."""
        outer, self.before = self.before, []
        defaults = [self._default(parameter) for parameter in parameters]
        outer += self.before
        self.enter()
        self.before = []
        arguments, prelude = self.parameters(parameters, defaults)
        is_block = body.kind == "block"
        value = None if is_block else self.expression(body)
        statements = self.block(body.nodes) if is_block else [*self.before, self.at(ast.Return(value), body)]
        assigned = self.leave()
        before, self.before = self.before, outer
        if value is not None and not (before or prelude or assigned):
            return ast.Lambda(arguments, value)
        name = self.variables.fresh("arrow")
        self.before.append(self.at(self._defined(name, arguments, [*prelude, *statements], assigned), part))
        return LocalName(name, LOAD)

    def declared_function(self, part: Part) -> list[ast.stmt]:
        """Return a declared function; one of the program is a variable of the scope."""
        word, parameters, *rest = part.parts
        target = self.variables.declare(word.text)
        defaults = [self._default(parameter) for parameter in parameters.nodes]
        self.enter()
        arguments, prelude = self.parameters(parameters.nodes, defaults)
        statements = self.block(rest[-1].nodes)
        assigned = self.leave()
        name = target.id if isinstance(target, LocalName) else self.variables.fresh(word.text)
        defined = self._defined(name, arguments, [*prelude, *statements], assigned)
        return [defined] if isinstance(target, LocalName) else [defined, ast.Assign([target], LocalName(name, LOAD))]

    def enter(self) -> None:
        """Go into a function."""
        self.variables.functions.append(set())
        self.variables.open()

    def leave(self) -> set[str]:
        """Come out of a function and return the variables around it that it assigns."""
        self.variables.close()
        return self.variables.functions.pop()

    def _defined(self, name: str, arguments: ast.arguments, body: list[ast.stmt], assigned: set[str]) -> ast.stmt:
        outer: list[ast.stmt] = [ast.Nonlocal(sorted(assigned))] if assigned else []
        return ast.FunctionDef(name, arguments, [*outer, *(body or [ast.Pass()])], [], None)

    def _default(self, parameter: Part) -> ast.expr:
        values = [part for part in parameter.nodes[1:] if part.kind != "type"]
        return self.expression(values[0]) if parameter.kind == "parameter" and values else ast.Constant(None)

    def parameters(
        self, parameters: Sequence[Part], defaults: Sequence[ast.expr]
    ) -> tuple[ast.arguments, list[ast.stmt]]:
        """Return the parameters, and the statements that take apart those that are patterns."""
        names: list[ast.arg] = []
        prelude: list[ast.stmt] = []
        rest = ast.arg(self.variables.fresh("rest"))
        for parameter in parameters:
            first = parameter.parts[0]
            if parameter.kind == "rest":
                rest = ast.arg(self.variables.fresh("rest"))
                target = self.variables.declare(first.text)
                values = self.operation("listed", LocalName(rest.arg, LOAD))
                prelude.append(self.at(ast.Assign([target], values), parameter))
            elif first.kind == "name_pattern":
                names.append(ast.arg(self.variables.declare(first.parts[0].text).id))
            else:
                own = self.variables.fresh("argument")
                names.append(ast.arg(own))
                prelude += self.taken_apart(first, LocalName(own, LOAD), self.variables.declare)
        listed = ast.arguments(
            posonlyargs=[],
            args=names,
            vararg=rest,
            kwonlyargs=[],
            kw_defaults=[],
            defaults=list(defaults[: len(names)]),
        )
        return listed, prelude

    def taken_apart(self, pattern: Part, value: ast.expr, bind: Callable[[str], ast.Name]) -> list[ast.stmt]:
        """Return the statements that bind the names of a pattern; ``bind`` returns the target for a name."""
        if pattern.kind == "name_pattern":
            return [self.at(ast.Assign([bind(pattern.parts[0].text)], value), pattern)]
        own = self.temporary()
        statements: list[ast.stmt] = [self.at(ast.Assign([LocalName(own, STORE)], value), pattern)]
        taken: list[ast.expr] = []
        for position, part in enumerate(pattern.nodes):
            whole = LocalName(own, LOAD)
            if part.kind == "rest":
                keys = ast.List(taken, LOAD) if pattern.kind == "map_pattern" else ast.Constant(position)
                remaining = self.operation("remaining", whole, keys)
                statements.append(self.at(ast.Assign([bind(part.parts[0].text)], remaining), part))
                continue
            if pattern.kind == "map_pattern":
                key: ast.expr = self.at(ast.Constant(part.parts[0].text), part)
                inner = next((node for node in part.nodes if node.kind.endswith("_pattern")), None)
                inner = inner or Part("name_pattern", (part.parts[0],), part.start, part.end)
                read = self.operation("member", whole, key)
            else:
                key, inner = self.at(ast.Constant(position), part), part.nodes[0]
                read = self.operation("item", whole, key)
            taken.append(key)
            default = next((node for node in part.nodes if not node.kind.endswith("_pattern")), None)
            found: ast.expr = read
            if default is not None:
                name = self.temporary()
                test = ast.Compare(ast.NamedExpr(LocalName(name, STORE), read), [ast.Is()], [ast.Constant(None)])
                found = ast.IfExp(test, self.expression(default), LocalName(name, LOAD))
            statements += self.taken_apart(inner, found, bind)
        return statements
