"""Translation of the expressions of XScript to expressions of Python and calls of operations.

Rules: an expression with the same meaning in Python becomes Python's own AST node. Every other becomes a call of a
function in ``operations``, which contains the guards. Operands are evaluated once, in the order of the text. A Python
lambda cannot contain statements. A function that needs them is therefore hoisted: it is defined right before the
statement that contains it. The module has more than 300 lines, because there is one method for each of the many rules
of the grammar.
"""

# ruff: noqa: D102 - a method on_<rule> translates the expression of that grammar rule

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeVar

from taskrun.script.ir import Intrinsic, LocalName, ScopeName, intrinsic
from taskrun.script.problems import FORBIDDEN, UNSUPPORTED, Problem, ProblemsError
from taskrun.script.sandbox.guard import refused_attribute
from taskrun.script.xscript.lexer import parse_number, unescape
from taskrun.script.xscript.members import REFUSED_MEMBERS
from taskrun.script.xscript.parse import SyntaxNode
from taskrun.script.xscript.variables import LOAD, STORE, XScriptVariables

_Node = TypeVar("_Node", bound=ast.AST)
BINARY = MappingProxyType(
    {"PLUS": "add", "TIMES": "multiply", "DIVIDE": "divide", "REMAINDER": "remainder", "MINUS": "subtract"}
)
_COMPARE = MappingProxyType({"LT": ast.Lt, "GT": ast.Gt, "LE": ast.LtE, "GE": ast.GtE})
_CONSTANTS = MappingProxyType({"null": None, "true": True, "false": False})
_REFUSED_CALLS = MappingProxyType(
    {
        "eval": "write the expression itself",
        "xpl": "write the tags in a <source> with elements",
        "raw": "write the value without raw(…)",
        "track": "add an observer of the events of the run",
        "loadDslModel": "read the file with an <invoke> step",
    }
)
_TRUE_OR_FALSE = (ast.Compare,)


class ExpressionTranslator:
    """Translator of XScript expressions to Python's AST: one method ``on_<rule>`` per grammar rule.

    Parameters: ``position`` returns the line (from 1) and the column (UTF-8 bytes from 0) of an index in the text.
    """

    def __init__(self, position: Callable[[int], tuple[int, int]]) -> None:
        self.position = position
        self.variables: XScriptVariables = XScriptVariables()
        self.hoisted: list[ast.stmt] = []  # statements to insert before the current one
        self.imports: dict[str, tuple[str, int]] = {}

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

    def expression(self, node: SyntaxNode) -> ast.expr:
        """Return the Python expression for an XScript syntax node."""
        handler: Callable[[SyntaxNode], ast.expr] = getattr(self, "on_" + node.kind)
        return self.with_position(handler(node), node)

    def operation(self, name: str, *arguments: ast.expr) -> Intrinsic:
        """Return an AST node that calls the function ``name`` of the module ``operations`` at run time."""
        return intrinsic(name, *arguments)

    def condition(self, node: SyntaxNode) -> ast.expr:
        """Return a Python expression that is true or false by the rules of XScript, for which an empty list is true."""
        value = self.expression(node)
        if isinstance(value, _TRUE_OR_FALSE) or (isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not)):
            return value
        return self.with_position(self.operation("truth", value), node)

    def temporary(self) -> str:
        """Return a new name for a Python variable that holds an intermediate value."""
        return self.variables.unique_name("t")

    def on_name(self, node: SyntaxNode) -> ast.expr:
        token = node.children[0]
        if token.text.startswith("$") and token.text == "$scope":
            raise self.unsupported(node, "'$scope' alone is not possible", "write $scope.name, or the name alone")
        return self.variables.load_name(token.text)

    def on_number(self, node: SyntaxNode) -> ast.expr:
        return ast.Constant(parse_number(node.children[0].text))

    def on_text(self, node: SyntaxNode) -> ast.expr:
        return ast.Constant(unescape(node.children[0].text[1:-1]))

    def on_constant(self, node: SyntaxNode) -> ast.expr:
        return ast.Constant(_CONSTANTS[node.children[0].text])

    def on_group(self, node: SyntaxNode) -> ast.expr:
        return self.expression(node.children[0])

    def on_template(self, node: SyntaxNode) -> ast.expr:
        pieces = [
            self.expression(item) if isinstance(item, SyntaxNode) else ast.Constant(unescape(item.text))
            for item in node.children
        ]
        return self.operation("template", *(piece for piece in pieces if getattr(piece, "value", None) != ""))

    def on_list(self, node: SyntaxNode) -> ast.expr:
        return ast.List(self.argument_list(node.children[0]), LOAD)

    def on_map(self, node: SyntaxNode) -> ast.expr:
        keys: list[ast.expr | None] = []
        values: list[ast.expr] = []
        for entry in node.nodes:
            if entry.kind == "spread":
                keys.append(None)
                values.append(self.operation("spread", self.expression(entry.nodes[0])))
            elif entry.kind == "short_entry":
                keys.append(ast.Constant(entry.children[0].text))
                values.append(self.with_position(self.variables.load_name(entry.children[0].text), entry))
            elif entry.kind == "computed_entry":
                keys.append(self.expression(entry.nodes[0]))
                values.append(self.expression(entry.nodes[1]))
            else:
                keys.append(ast.Constant(_key(entry.children[0])))
                values.append(self.expression(entry.nodes[0]))
        return ast.Dict(keys, values)

    def on_binary(self, node: SyntaxNode) -> ast.expr:
        left, sign, right = self.expression(node.children[0]), node.children[1].kind, self.expression(node.children[2])
        if sign in _COMPARE:
            return ast.Compare(left, [_COMPARE[sign]()], [right])
        if sign in {"EQUAL", "UNEQUAL"}:
            return _equality(left, right, self.operation("equal", left, right), negated=sign == "UNEQUAL")
        return self.operation(BINARY[sign], left, right)

    def on_logic(self, node: SyntaxNode) -> ast.expr:
        left, sign, right = self.expression(node.children[0]), node.children[1].kind, node.children[2]
        name = self.temporary()
        first: ast.expr = ast.NamedExpr(LocalName(name, STORE), left)
        again = LocalName(name, LOAD)
        if sign == "COALESCE":
            return ast.IfExp(is_null(first), self.expression(right), again)
        test = self.operation("truth", first)
        if sign == "AND":
            return ast.IfExp(test, self.expression(right), again)
        return ast.IfExp(test, again, self.expression(right))

    def on_not_(self, node: SyntaxNode) -> ast.expr:
        return ast.UnaryOp(ast.Not(), self.condition(node.nodes[0]))

    def on_sign(self, node: SyntaxNode) -> ast.expr:
        kind = ast.USub() if node.children[0].kind == "MINUS" else ast.UAdd()
        return ast.UnaryOp(kind, self.operation("number", self.expression(node.children[1])))

    def on_conditional(self, node: SyntaxNode) -> ast.expr:
        test, body, orelse = node.nodes
        return ast.IfExp(self.condition(test), self.expression(body), self.expression(orelse))

    def on_typeof(self, node: SyntaxNode) -> ast.expr:
        return self.operation("type_of", self.expression(node.nodes[0]))

    def on_instance(self, node: SyntaxNode) -> ast.expr:
        value = self.expression(node.children[0])
        return self.operation("instance_of", value, self.type_operand(node.children[1]))

    def on_new(self, node: SyntaxNode) -> ast.expr:
        kind, arguments = node.nodes
        return self.operation("new", self.type_operand(kind), *self.argument_list(arguments))

    def type_operand(self, node: SyntaxNode) -> ast.expr:
        """Return an expression for the type that ``new`` or ``instanceof`` names.

        It gives the class if that is imported, else the name of a built-in type as a text, such as ``"ArrayList"``.
        """
        name = ".".join(token.text for token in node.children)
        if self.imports.get(name, ("", 0))[0]:
            return self.with_position(self.variables.load_name(name), node)
        return self.with_position(ast.Constant(name.rpartition(".")[2]), node)

    def on_required(self, node: SyntaxNode) -> ast.expr:
        return self.operation("required", self.expression(node.children[0]))

    def chain(self, node: SyntaxNode) -> ast.expr:
        """Translate a chain of members, items and calls such as ``a.b?.c[0](x)``.

        If the value before ``?.`` is null, the rest of the chain is not evaluated, and the whole chain is null.
        """
        links: list[SyntaxNode] = []
        while node.kind in _LINKS:
            links.append(node)
            node = node.children[0]
        return self.apply_links(self.chain_start(node, links), links[::-1])

    on_member: Final = chain
    on_optional_member: Final = chain
    on_item: Final = chain
    on_optional_item: Final = chain
    on_call: Final = chain
    on_optional_call: Final = chain

    def chain_start(self, node: SyntaxNode, links: list[SyntaxNode]) -> ast.expr:
        """Return the expression for the start of a chain, such as ``a`` in ``a.b.c``.

        ``links`` are the syntax nodes behind the start, in reverse order. The start ``$scope.x`` is the variable ``x``
        of the scope: the syntax node of ``.x`` is then removed from ``links``.
        """
        if node.kind == "name" and node.children[0].text == "$scope" and links[-1].kind == "member":
            return self.with_position(self.variables.load_name(links.pop().children[1].text), node)
        return self.expression(node)

    def apply_links(self, value: ast.expr, links: Sequence[SyntaxNode]) -> ast.expr:
        """Return an expression that applies the members, items and calls of a chain to a value.

        Parameters: ``value`` is the start of the chain. ``links`` are the syntax nodes behind it in the order of the
        text, such as ``.b`` and ``(x)``.
        """
        for index, link in enumerate(links):
            if link.kind.startswith("optional_"):
                name = self.temporary()
                first = ast.NamedExpr(LocalName(name, STORE), value)
                plain = SyntaxNode(link.kind.removeprefix("optional_"), link.children, link.start, link.end)
                rest = self.apply_links(self.with_position(LocalName(name, LOAD), link), [plain, *links[index + 1 :]])
                return self.with_position(ast.IfExp(is_null(first), ast.Constant(None), rest), link)
            following = links[index + 1].kind if index + 1 < len(links) else ""
            if link.kind == "member" and following == "call":
                continue  # the call translates both to one operation
            value = self.with_position(self.apply_link(value, link, links[index - 1] if index else None), link)
        return value

    def apply_link(self, value: ast.expr, link: SyntaxNode, before: SyntaxNode | None) -> ast.expr:
        """Return an expression that applies one member, item or call of a chain to ``value``.

        ``link`` is its syntax node, such as ``.b`` or ``(x)``; ``before`` is the one in front of it in the chain. If
        that is a member and ``link`` a call, both become one operation, and ``value`` is the object that has the
        member.
        """
        if link.kind == "member":
            return self.operation("member", value, self.member_name(link))
        if link.kind == "item":
            return self.operation("item", value, self.expression(link.children[1]))
        arguments = link.children[1]
        if before is not None and before.kind == "member":
            return self.operation("call_member", value, self.member_name(before), *self.argument_list(arguments))
        special = self.scope_call(value, link, arguments)
        return special or ast.Call(value, self.argument_list(arguments), [])

    def scope_call(self, function: ast.expr, call: SyntaxNode, arguments: SyntaxNode) -> ast.expr | None:
        """Return the expression for ``assign("x", 1)`` or ``get("x")``, which set and read a variable by its name.

        Returns None for any other call. Raises ProblemsError for functions that XScript does not support, such as
        ``eval``.
        """
        if not isinstance(function, ScopeName):
            return None
        if function.id in _REFUSED_CALLS:
            raise self.unsupported(call, f"'{function.id}' is not possible", _REFUSED_CALLS[function.id])
        given = arguments.nodes
        if function.id not in {"assign", "get"} or not given or given[0].kind != "text":
            return None
        self.variables.reads.discard(function.id)
        name = unescape(given[0].children[0].text[1:-1])
        if refused_attribute(name) or not name.isidentifier():
            raise self.unsupported(given[0], f"the name '{name}' is refused", "")
        if function.id == "get":
            return self.variables.load_name(name)
        self.variables.stores.add(name)
        value = self.expression(given[1]) if len(given) > 1 else ast.Constant(None)
        return ast.NamedExpr(ScopeName(name, STORE), value)

    def member_name(self, link: SyntaxNode) -> ast.expr:
        """Return the name of a member, such as ``b`` of ``a.b``, as a constant.

        Raises ProblemsError if scripts must not read that member.
        """
        token = link.children[1]
        if token.text in REFUSED_MEMBERS or refused_attribute(token.text):
            message = f"the member '{token.text}' is refused"
            raise ProblemsError(
                [Problem(token.start, FORBIDDEN, message, "it gives access to the internals of the language")]
            )
        return self.with_position(ast.Constant(token.text), link)

    def argument_list(self, node: SyntaxNode) -> list[ast.expr]:
        """Return the expressions for the arguments of a call or the elements of a list.

        ``...x`` becomes a starred expression.
        """
        return [
            self.with_position(ast.Starred(self.operation("spread_items", self.expression(item.nodes[0])), LOAD), item)
            if item.kind == "spread"
            else self.expression(item)
            for item in node.nodes
        ]

    def unsupported(self, node: SyntaxNode, message: str, hint: str) -> ProblemsError:
        """Return the error for the construct ``node``, which XScript does not support; the caller raises it."""
        return ProblemsError([Problem(node.start, UNSUPPORTED, message, hint)])


_LINKS = frozenset({"member", "optional_member", "item", "optional_item", "call", "optional_call"})


def _key(token: Any) -> Any:
    """Return the value before the colon of a map entry: that of a string or number literal, or a name as text."""
    if token.kind == "TEXT":
        return unescape(token.text[1:-1])
    return parse_number(token.text) if token.kind == "NUMBER" else token.text


def is_null(value: ast.expr) -> ast.Compare:
    """Return the AST node of ``value is None``: null in XScript is None in Python."""
    return ast.Compare(value, [ast.Is()], [ast.Constant(None)])


def _equality(left: ast.expr, right: ast.expr, otherwise: ast.expr, *, negated: bool) -> ast.expr:
    """Return an expression for ``left == right``, or for ``left != right`` if ``negated``.

    If one side is null or a string literal, Python's own comparison is right and fast. Otherwise ``otherwise`` is used:
    the call of the operation that compares by the rules of XScript.
    """
    for side in (left, right):
        if isinstance(side, ast.Constant) and side.value is None:
            return ast.Compare(left, [ast.IsNot() if negated else ast.Is()], [right])
        if isinstance(side, ast.Constant) and isinstance(side.value, str):
            return ast.Compare(left, [ast.NotEq() if negated else ast.Eq()], [right])
    return ast.UnaryOp(ast.Not(), otherwise) if negated else otherwise
