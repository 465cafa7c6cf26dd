"""Translation of declarations such as ``let x = 1``, and of assignments: ``x = 1``, ``x += 1`` and ``x++``.

Rules: a target is a name, a member (``a.b``), an item (``a[b]``) or a list of targets. The object and key of a member or
item are evaluated once, before the value. ``$scope.x`` is the variable ``x`` of the scope.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import partial

from taskrun.script.ir import LocalName, intrinsic
from taskrun.script.xscript.chains import member_name
from taskrun.script.xscript.expressions import ARITHMETIC
from taskrun.script.xscript.parse import SyntaxNode
from taskrun.script.xscript.patterns import destructure
from taskrun.script.xscript.translator import Translator, unsupported
from taskrun.script.xscript.variables import LOAD, STORE

_MakeValue = Callable[[Callable[[], ast.expr]], ast.expr]
"""Function that returns the expression to assign; it calls its argument for an expression that reads the target."""


def translate_declaration(translator: Translator, node: SyntaxNode) -> list[ast.stmt]:
    """Translate a declaration with ``let``, ``var`` or ``const``."""
    constant = not isinstance(node.children[0], SyntaxNode)
    bind = partial(translator.variables.declare, constant=constant)
    statements: list[ast.stmt] = []
    for declarator in node.nodes:
        pattern, *rest = declarator.nodes
        values = [item for item in rest if item.kind != "type"]
        if not values and (constant or pattern.kind != "name_pattern"):
            raise unsupported(declarator, "this declaration has no value", "write = and a value")
        value = translator.expression(values[0]) if values else ast.Constant(None)
        statements += translator.hoisted
        translator.hoisted = []
        statements += destructure(translator, pattern, value, bind)
    return statements


def translate_assign(translator: Translator, node: SyntaxNode) -> list[ast.stmt]:
    """Translate an assignment such as ``a.b = c`` or ``[a, b] = c``."""
    target, source = node.nodes
    if target.kind == "list":
        return _assign_list(translator, target, translator.expression(source))
    return _assign(translator, target, lambda _read: translator.expression(source))


def translate_change(translator: Translator, node: SyntaxNode) -> list[ast.stmt]:
    """Translate an assignment with an operator, such as ``a += b``."""
    target, sign, source = node.children
    operation = ARITHMETIC[sign.text[0]]
    return _assign(translator, target, lambda read: intrinsic(operation, read(), translator.expression(source)))


def translate_step(translator: Translator, node: SyntaxNode) -> list[ast.stmt]:
    """Translate ``a++`` or ``a--``."""
    sign = next(token.text for token in node.children if not isinstance(token, SyntaxNode))
    operation = ARITHMETIC[sign[0]]
    return _assign(
        translator, node.nodes[0], lambda read: intrinsic(operation, intrinsic("number", read()), ast.Constant(1))
    )


def _assign_list(translator: Translator, target: SyntaxNode, value: ast.expr) -> list[ast.stmt]:
    """Return the Python statements for ``[a, b] = value``: they assign the items of the value to the targets."""
    own = translator.temporary()
    statements: list[ast.stmt] = [ast.Assign([LocalName(own, STORE)], value)]
    for position, node in enumerate(target.children[0].nodes):
        item = intrinsic("item", LocalName(own, LOAD), ast.Constant(position))
        statements += _assign(translator, node, _make_constantly(item))
    return statements


def _make_constantly(value: ast.expr) -> _MakeValue:
    """Return the function that returns ``value`` and does not read the target."""
    return lambda _read: value


def _assign(translator: Translator, target: SyntaxNode, make: _MakeValue) -> list[ast.stmt]:
    """Return the Python statements that assign a value to ``target``: a name, member (``a.b``) or item (``a[b]``).

    Raises ProblemsError for any other target, such as a call, and for a constant.
    """
    if target.kind == "name":
        return _assign_name(translator, target, make)
    if target.kind not in {"member", "item"}:
        raise unsupported(target, "this cannot be assigned to", "assign to a name, a member or an item")
    owner = target.children[0]
    if target.kind == "member" and owner.kind == "name" and owner.children[0].text == "$scope":
        token = target.children[1]
        return _assign_name(translator, SyntaxNode("name", (token,), token.start, token.end), make)
    return _assign_item(translator, target, make)


def _assign_name(translator: Translator, target: SyntaxNode, make: _MakeValue) -> list[ast.stmt]:
    """Return the Python statement that assigns a value to the variable ``target``."""
    variables = translator.variables
    name = target.children[0].text
    if variables.is_constant(name):
        raise unsupported(target, f"'{name}' is a constant and cannot be assigned again", "declare it with let")
    value = make(lambda: translator.with_position(variables.load_name(name), target))
    return [ast.Assign([translator.with_position(variables.store_name(name), target)], value)]


def _assign_item(translator: Translator, target: SyntaxNode, make: _MakeValue) -> list[ast.stmt]:
    """Return the Python statements that assign a value to ``target``: a member (``a.b``) or item (``a[b]``)."""
    owner, key = translator.temporary(), translator.temporary()
    first = translator.expression(target.children[0])
    is_member = target.kind == "member"
    second = member_name(translator, target) if is_member else translator.expression(target.children[1])
    value = make(lambda: intrinsic(target.kind, LocalName(owner, LOAD), LocalName(key, LOAD)))
    done = intrinsic("set_item", LocalName(owner, LOAD), LocalName(key, LOAD), value)
    return [
        ast.Assign([LocalName(owner, STORE)], first),
        ast.Assign([LocalName(key, STORE)], second),
        ast.Assign([LocalName(translator.temporary(), STORE)], done),
    ]
