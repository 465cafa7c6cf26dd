"""The expressions of XScript, as expressions of Python and operations.

Rules: what means the same in Python becomes Python's own node; everything else is a call of an operation, so that the
guards are at one place. Operands are evaluated once, in the order of the text. A function that needs statements is
defined right before the statement in which it stands.
"""

# ruff: noqa: D102 - a handler translates the node it is named for

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

from taskrun.script.ir import Intrinsic, LocalName, ScopeName, intrinsic
from taskrun.script.problems import FORBIDDEN, UNSUPPORTED, Problem, ProblemsError
from taskrun.script.sandbox.guard import refused_attribute
from taskrun.script.xscript.lexer import number, unescaped
from taskrun.script.xscript.parse import Part
from taskrun.script.xscript.variables import LOAD, STORE, Variables

Node = TypeVar("Node", bound=ast.AST)
BINARY = MappingProxyType(
    {"PLUS": "add", "TIMES": "multiply", "DIVIDE": "divide", "REMAINDER": "remainder", "MINUS": "subtract"}
)
_COMPARE = MappingProxyType({"LT": ast.Lt, "GT": ast.Gt, "LE": ast.LtE, "GE": ast.GtE})
_CONSTANTS = MappingProxyType({"null": None, "true": True, "false": False})
_REFUSED_CALLS = MappingProxyType(
    {
        "eval": "write the expression itself",
        "xpl": "tags are for <source> with elements",
        "raw": "the value itself is what it gives",
        "track": "events tell what a run does",
        "loadDslModel": "read the file with an <invoke> step",
    }
)
_REFUSED_MEMBERS = frozenset({"constructor", "prototype", "caller", "callee"})
_TRUE_OR_FALSE = (ast.Compare,)


class Expressions:
    """Translates expressions; ``place`` turns an index in the text into line and column."""

    def __init__(self, place: Callable[[int], tuple[int, int]]) -> None:
        self.place = place
        self.variables = Variables()
        self.before: list[ast.stmt] = []  # what must stand before the statement that is being translated
        self.imports: dict[str, tuple[str, int]] = {}

    def at(self, node: Node, part: Part, end: int | None = None) -> Node:
        """Return a node with the place of a part, and everything in it that has none."""
        line, column = self.place(part.start)
        todo: list[ast.AST] = [node]
        while todo:
            item: Any = todo.pop()
            if hasattr(item, "lineno"):
                continue
            item.lineno, item.col_offset = line, column
            item.end_lineno, item.end_col_offset = line, column + max(1, (end or part.start) - part.start)
            todo.extend(ast.iter_child_nodes(item))
        return node

    def expression(self, part: Part) -> ast.expr:
        """Return the translation of an expression."""
        handler: Callable[[Part], ast.expr] = getattr(self, "on_" + part.kind)
        return self.at(handler(part), part)

    def all(self, parts: Iterable[Part]) -> list[ast.expr]:
        """Return the translations of several."""
        return [self.expression(part) for part in parts]

    def operation(self, name: str, *arguments: ast.expr) -> Intrinsic:
        """Return a call of an operation."""
        return intrinsic(name, *arguments)

    def truth(self, part: Part) -> ast.expr:
        """Return an expression as a condition."""
        value = self.expression(part)
        if isinstance(value, _TRUE_OR_FALSE) or (isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not)):
            return value
        return self.at(self.operation("truth", value), part)

    def temporary(self) -> str:
        """Return the name of a new local variable."""
        return self.variables.fresh("t")

    def on_name(self, part: Part) -> ast.expr:
        word = part.parts[0]
        if word.text.startswith("$") and word.text == "$scope":
            raise self.problem(part, "'$scope' alone is not possible", "write $scope.name, or the name alone")
        return self.variables.read(word.text)

    def on_number(self, part: Part) -> ast.expr:
        return ast.Constant(number(part.parts[0].text))

    def on_text(self, part: Part) -> ast.expr:
        return ast.Constant(unescaped(part.parts[0].text[1:-1]))

    def on_constant(self, part: Part) -> ast.expr:
        return ast.Constant(_CONSTANTS[part.parts[0].text])

    def on_group(self, part: Part) -> ast.expr:
        return self.expression(part.parts[0])

    def on_template(self, part: Part) -> ast.expr:
        pieces = [
            self.expression(item) if isinstance(item, Part) else ast.Constant(unescaped(item.text))
            for item in part.parts
        ]
        return self.operation("template", *(piece for piece in pieces if getattr(piece, "value", None) != ""))

    def on_list(self, part: Part) -> ast.expr:
        return ast.List(self.arguments(part.parts[0]), LOAD)

    def on_map(self, part: Part) -> ast.expr:
        keys: list[ast.expr | None] = []
        values: list[ast.expr] = []
        for entry in part.nodes:
            if entry.kind == "spread":
                keys.append(None)
                values.append(self.operation("spread", self.expression(entry.nodes[0])))
            elif entry.kind == "short_entry":
                keys.append(ast.Constant(entry.parts[0].text))
                values.append(self.at(self.variables.read(entry.parts[0].text), entry))
            elif entry.kind == "computed_entry":
                keys.append(self.expression(entry.nodes[0]))
                values.append(self.expression(entry.nodes[1]))
            else:
                keys.append(ast.Constant(_key(entry.parts[0])))
                values.append(self.expression(entry.nodes[0]))
        return ast.Dict(keys, values)

    def on_binary(self, part: Part) -> ast.expr:
        left, sign, right = self.expression(part.parts[0]), part.parts[1].kind, self.expression(part.parts[2])
        if sign in _COMPARE:
            return ast.Compare(left, [_COMPARE[sign]()], [right])
        if sign in {"EQUAL", "UNEQUAL"}:
            return _equality(left, right, self.operation("equal", left, right), negated=sign == "UNEQUAL")
        return self.operation(BINARY[sign], left, right)

    def on_logic(self, part: Part) -> ast.expr:
        left, sign, right = self.expression(part.parts[0]), part.parts[1].kind, part.parts[2]
        name = self.temporary()
        first: ast.expr = ast.NamedExpr(LocalName(name, STORE), left)
        again = LocalName(name, LOAD)
        if sign == "COALESCE":
            return ast.IfExp(_is_null(first), self.expression(right), again)
        test = self.operation("truth", first)
        if sign == "AND":
            return ast.IfExp(test, self.expression(right), again)
        return ast.IfExp(test, again, self.expression(right))

    def on_not_(self, part: Part) -> ast.expr:
        return ast.UnaryOp(ast.Not(), self.truth(part.nodes[0]))

    def on_sign(self, part: Part) -> ast.expr:
        kind = ast.USub() if part.parts[0].kind == "MINUS" else ast.UAdd()
        return ast.UnaryOp(kind, self.operation("number", self.expression(part.parts[1])))

    def on_conditional(self, part: Part) -> ast.expr:
        test, body, orelse = part.nodes
        return ast.IfExp(self.truth(test), self.expression(body), self.expression(orelse))

    def on_typeof(self, part: Part) -> ast.expr:
        return self.operation("type_of", self.expression(part.nodes[0]))

    def on_instance(self, part: Part) -> ast.expr:
        value = self.expression(part.parts[0])
        return self.operation("instance_of", value, self.type_named(part.parts[1]))

    def on_new(self, part: Part) -> ast.expr:
        kind, arguments = part.nodes
        return self.operation("new", self.type_named(kind), *self.arguments(arguments))

    def type_named(self, part: Part) -> ast.expr:
        """Return a type: an imported class, or the name of one that the language has."""
        name = ".".join(word.text for word in part.parts)
        if self.imports.get(name, ("", 0))[0]:
            return self.at(self.variables.read(name), part)
        return self.at(ast.Constant(name.rpartition(".")[2]), part)

    def on_required(self, part: Part) -> ast.expr:
        return self.operation("required", self.expression(part.parts[0]))

    def chain(self, part: Part) -> ast.expr:
        """Translate members, items and calls; after ``?.`` the rest of the chain is left out when the value is null."""
        links: list[Part] = []
        while part.kind in _LINKS:
            links.append(part)
            part = part.parts[0]
        return self.linked(self.base(part, links), links[::-1])

    on_member = on_optional_member = on_item = on_optional_item = on_call = on_optional_call = chain

    def base(self, part: Part, links: list[Part]) -> ast.expr:
        """Return what a chain begins with; ``$scope.x`` is the variable x."""
        if part.kind == "name" and part.parts[0].text == "$scope" and links[-1].kind == "member":
            return self.at(self.variables.read(links.pop().parts[1].text), part)
        return self.expression(part)

    def linked(self, value: ast.expr, links: Sequence[Part]) -> ast.expr:
        """Return a value with the links after it."""
        for index, link in enumerate(links):
            if link.kind.startswith("optional_"):
                name = self.temporary()
                first = ast.NamedExpr(LocalName(name, STORE), value)
                plain = Part(link.kind.removeprefix("optional_"), link.parts, link.start, link.end)
                rest = self.linked(self.at(LocalName(name, LOAD), link), [plain, *links[index + 1 :]])
                return self.at(ast.IfExp(_is_null(first), ast.Constant(None), rest), link)
            following = links[index + 1].kind if index + 1 < len(links) else ""
            if link.kind == "member" and following == "call":
                continue  # both are one operation
            value = self.at(self.link(value, link, links[index - 1] if index else None), link)
        return value

    def link(self, value: ast.expr, link: Part, before: Part | None) -> ast.expr:
        """Return a value with one link after it."""
        if link.kind == "member":
            return self.operation("member", value, self.member_name(link))
        if link.kind == "item":
            return self.operation("item", value, self.expression(link.parts[1]))
        arguments = link.parts[1]
        if before is not None and before.kind == "member":
            return self.operation("call_member", value, self.member_name(before), *self.arguments(arguments))
        special = self.special_call(value, link, arguments)
        return special or ast.Call(value, self.arguments(arguments), [])

    def special_call(self, function: ast.expr, call: Part, arguments: Part) -> ast.expr | None:
        """Return a call of what needs the scope itself: ``assign("x", 1)`` and ``get("x")``."""
        if not isinstance(function, ScopeName):
            return None
        if function.id in _REFUSED_CALLS:
            raise self.problem(call, f"'{function.id}' is not possible", _REFUSED_CALLS[function.id])
        given = arguments.nodes
        if function.id not in {"assign", "get"} or not given or given[0].kind != "text":
            return None
        self.variables.reads.discard(function.id)
        name = unescaped(given[0].parts[0].text[1:-1])
        if refused_attribute(name) or not name.isidentifier():
            raise self.problem(given[0], f"the name '{name}' is refused", "")
        if function.id == "get":
            return self.variables.read(name)
        self.variables.stores.add(name)
        value = self.expression(given[1]) if len(given) > 1 else ast.Constant(None)
        return ast.NamedExpr(ScopeName(name, STORE), value)

    def member_name(self, link: Part) -> ast.expr:
        """Return the name of a member, or raise when no script may have it."""
        word = link.parts[1]
        if word.text in _REFUSED_MEMBERS or refused_attribute(word.text):
            message = f"the member '{word.text}' is refused"
            raise ProblemsError([Problem(word.start, FORBIDDEN, message, "it leads to the inside of the language")])
        return self.at(ast.Constant(word.text), link)

    def arguments(self, part: Part) -> list[ast.expr]:
        """Return arguments or elements, those with ``...`` spread out."""
        return [
            self.at(ast.Starred(self.operation("spread_items", self.expression(item.nodes[0])), LOAD), item)
            if item.kind == "spread"
            else self.expression(item)
            for item in part.nodes
        ]

    def problem(self, part: Part, message: str, hint: str) -> ProblemsError:
        """Return the error for something that the language does not have."""
        return ProblemsError([Problem(part.start, UNSUPPORTED, message, hint)])


_LINKS = frozenset({"member", "optional_member", "item", "optional_item", "call", "optional_call"})


def _key(word: Any) -> Any:
    if word.kind == "TEXT":
        return unescaped(word.text[1:-1])
    return number(word.text) if word.kind == "NUMBER" else word.text


def _is_null(value: ast.expr) -> ast.Compare:
    return ast.Compare(value, [ast.Is()], [ast.Constant(None)])


def _equality(left: ast.expr, right: ast.expr, otherwise: ast.expr, *, negated: bool) -> ast.expr:
    """Return ``left == right``; with a text or null on one side Python's own comparison is the same."""
    for side in (left, right):
        if isinstance(side, ast.Constant) and side.value is None:
            return ast.Compare(left, [ast.IsNot() if negated else ast.Is()], [right])
        if isinstance(side, ast.Constant) and isinstance(side.value, str):
            return ast.Compare(left, [ast.NotEq() if negated else ast.Eq()], [right])
    return ast.UnaryOp(ast.Not(), otherwise) if negated else otherwise
