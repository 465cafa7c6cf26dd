"""Translation of the expressions of XScript to expressions of Python and calls of operations.

Rules: an expression with the same meaning in Python becomes Python's own AST node. Every other becomes a call of a
function in ``operations``, which contains the guards. Operands are evaluated once, in the order of the text.
"""

from __future__ import annotations

import ast
from types import MappingProxyType
from typing import Any

from taskrun.script.ir import LocalName, intrinsic
from taskrun.script.xscript.chains import LINKS, argument_list, translate_chain
from taskrun.script.xscript.functions import translate_arrow, translate_arrow_of_one
from taskrun.script.xscript.lexer import parse_number, unescape
from taskrun.script.xscript.parse import SyntaxNode
from taskrun.script.xscript.translator import ExpressionHandlers, Translator, is_null, unsupported
from taskrun.script.xscript.variables import LOAD, STORE

ARITHMETIC = MappingProxyType({"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "remainder"})
"""The operation of each arithmetic operator."""

_COMPARE = MappingProxyType({"LT": ast.Lt, "GT": ast.Gt, "LE": ast.LtE, "GE": ast.GtE})
_CONSTANTS = MappingProxyType({"null": None, "true": True, "false": False})


def translate_name(translator: Translator, node: SyntaxNode) -> ast.expr:
    """Translate the name of a variable."""
    token = node.children[0]
    if token.text == "$scope":
        raise unsupported(node, "'$scope' alone is not possible", "write $scope.name, or the name alone")
    return translator.variables.load_name(token.text)


def translate_number(_translator: Translator, node: SyntaxNode) -> ast.expr:
    """Translate a number literal."""
    return ast.Constant(parse_number(node.children[0].text))


def translate_text(_translator: Translator, node: SyntaxNode) -> ast.expr:
    """Translate a string literal."""
    return ast.Constant(unescape(node.children[0].text[1:-1]))


def translate_constant(_translator: Translator, node: SyntaxNode) -> ast.expr:
    """Translate ``null``, ``true`` or ``false``."""
    return ast.Constant(_CONSTANTS[node.children[0].text])


def translate_group(translator: Translator, node: SyntaxNode) -> ast.expr:
    """Translate an expression in parentheses."""
    return translator.expression(node.children[0])


def translate_template(translator: Translator, node: SyntaxNode) -> ast.expr:
    """Translate a template literal such as ```` `a ${b}` ````."""
    pieces = [
        translator.expression(item) if isinstance(item, SyntaxNode) else ast.Constant(unescape(item.text))
        for item in node.children
    ]
    return intrinsic("template", *(piece for piece in pieces if getattr(piece, "value", None) != ""))


def translate_list(translator: Translator, node: SyntaxNode) -> ast.expr:
    """Translate a list such as ``[1, ...more]``."""
    return ast.List(argument_list(translator, node.children[0]), LOAD)


def translate_map(translator: Translator, node: SyntaxNode) -> ast.expr:
    """Translate a map such as ``{a: 1, b, [key]: 2, ...more}``."""
    keys: list[ast.expr | None] = []
    values: list[ast.expr] = []
    for entry in node.nodes:
        if entry.kind == "spread":
            keys.append(None)
            values.append(intrinsic("spread", translator.expression(entry.nodes[0])))
        elif entry.kind == "short_entry":
            name = entry.children[0].text
            keys.append(ast.Constant(name))
            values.append(translator.with_position(translator.variables.load_name(name), entry))
        elif entry.kind == "computed_entry":
            keys.append(translator.expression(entry.nodes[0]))
            values.append(translator.expression(entry.nodes[1]))
        else:
            keys.append(ast.Constant(_key(entry.children[0])))
            values.append(translator.expression(entry.nodes[0]))
    return ast.Dict(keys, values)


def _key(token: Any) -> Any:
    """Return the value before the colon of a map entry: that of a string or number literal, or a name as text."""
    if token.kind == "TEXT":
        return unescape(token.text[1:-1])
    return parse_number(token.text) if token.kind == "NUMBER" else token.text


def translate_binary(translator: Translator, node: SyntaxNode) -> ast.expr:
    """Translate an arithmetic operation or a comparison such as ``a + b`` or ``a < b``."""
    first, sign, second = node.children
    left, right = translator.expression(first), translator.expression(second)
    if sign.kind in _COMPARE:
        return ast.Compare(left, [_COMPARE[sign.kind]()], [right])
    if sign.kind in {"EQUAL", "UNEQUAL"}:
        return _equality(left, right, negated=sign.kind == "UNEQUAL")
    return intrinsic(ARITHMETIC[sign.text], left, right)


def _equality(left: ast.expr, right: ast.expr, *, negated: bool) -> ast.expr:
    """Return an expression for ``left == right``, or for ``left != right`` if ``negated``.

    If one side is null or a string literal, Python's own comparison is right and fast. Otherwise an operation is
    called that compares by the rules of XScript.
    """
    for side in (left, right):
        if isinstance(side, ast.Constant) and side.value is None:
            return ast.Compare(left, [ast.IsNot() if negated else ast.Is()], [right])
        if isinstance(side, ast.Constant) and isinstance(side.value, str):
            return ast.Compare(left, [ast.NotEq() if negated else ast.Eq()], [right])
    equal = intrinsic("equal", left, right)
    return ast.UnaryOp(ast.Not(), equal) if negated else equal


def translate_logic(translator: Translator, node: SyntaxNode) -> ast.expr:
    """Translate ``a && b``, ``a || b`` or ``a ?? b``; the value of ``a`` is evaluated once."""
    first, sign, second = node.children
    left = translator.expression(first)
    name = translator.temporary()
    assigned = ast.NamedExpr(LocalName(name, STORE), left)
    again = LocalName(name, LOAD)
    if sign.kind == "COALESCE":
        return ast.IfExp(is_null(assigned), translator.expression(second), again)
    test = intrinsic("truth", assigned)
    if sign.kind == "AND":
        return ast.IfExp(test, translator.expression(second), again)
    return ast.IfExp(test, again, translator.expression(second))


def translate_not(translator: Translator, node: SyntaxNode) -> ast.expr:
    """Translate ``!a`` or ``not a``."""
    return ast.UnaryOp(ast.Not(), translator.condition(node.nodes[0]))


def translate_sign(translator: Translator, node: SyntaxNode) -> ast.expr:
    """Translate ``-a`` or ``+a``."""
    kind = ast.USub() if node.children[0].kind == "MINUS" else ast.UAdd()
    return ast.UnaryOp(kind, intrinsic("number", translator.expression(node.children[1])))


def translate_conditional(translator: Translator, node: SyntaxNode) -> ast.expr:
    """Translate ``test ? a : b``."""
    test, body, orelse = node.nodes
    return ast.IfExp(translator.condition(test), translator.expression(body), translator.expression(orelse))


def translate_typeof(translator: Translator, node: SyntaxNode) -> ast.expr:
    """Translate ``typeof a``."""
    return intrinsic("type_of", translator.expression(node.nodes[0]))


def translate_instance(translator: Translator, node: SyntaxNode) -> ast.expr:
    """Translate ``a instanceof T``."""
    value = translator.expression(node.children[0])
    return intrinsic("instance_of", value, _type_operand(translator, node.children[1]))


def translate_new(translator: Translator, node: SyntaxNode) -> ast.expr:
    """Translate ``new T(a)``."""
    kind, arguments = node.nodes
    return intrinsic("new", _type_operand(translator, kind), *argument_list(translator, arguments))


def _type_operand(translator: Translator, node: SyntaxNode) -> ast.expr:
    """Return an expression for the type that ``new`` or ``instanceof`` names.

    Its value is the class if that is imported, else the name of a built-in type as a text, such as ``"ArrayList"``.
    """
    name = ".".join(token.text for token in node.children)
    if translator.imports.get(name, ("", 0))[0]:
        return translator.with_position(translator.variables.load_name(name), node)
    return translator.with_position(ast.Constant(name.rpartition(".")[2]), node)


def translate_required(translator: Translator, node: SyntaxNode) -> ast.expr:
    """Translate ``a!``, which raises an error if the value is null."""
    return intrinsic("required", translator.expression(node.children[0]))


EXPRESSION_HANDLERS: ExpressionHandlers = MappingProxyType(
    {
        "name": translate_name,
        "number": translate_number,
        "text": translate_text,
        "constant": translate_constant,
        "group": translate_group,
        "template": translate_template,
        "list": translate_list,
        "map": translate_map,
        "binary": translate_binary,
        "logic": translate_logic,
        "not_": translate_not,
        "sign": translate_sign,
        "conditional": translate_conditional,
        "typeof": translate_typeof,
        "instance": translate_instance,
        "new": translate_new,
        "required": translate_required,
        "arrow": translate_arrow,
        "arrow_of_one": translate_arrow_of_one,
        **dict.fromkeys(LINKS, translate_chain),
    }
)
"""The handlers of all kinds of expressions."""
