"""Translation of patterns such as ``[a, {b}]``, which take a value apart and assign its parts to names."""

from __future__ import annotations

import ast
from collections.abc import Callable

from taskrun.script.ir import LocalName, intrinsic
from taskrun.script.xscript.parse import SyntaxNode
from taskrun.script.xscript.translator import Translator, is_null
from taskrun.script.xscript.variables import LOAD, STORE


def destructure(
    translator: Translator, pattern: SyntaxNode, value: ast.expr, bind: Callable[[str], ast.Name]
) -> list[ast.stmt]:
    """Return the statements that assign parts of ``value`` to the names in a pattern such as ``[a, {b}]``.

    Parameters: ``bind`` returns the assignment target for a name.
    """
    if pattern.kind == "name_pattern":
        return [translator.with_position(ast.Assign([bind(pattern.children[0].text)], value), pattern)]
    own = translator.temporary()
    statements: list[ast.stmt] = [translator.with_position(ast.Assign([LocalName(own, STORE)], value), pattern)]
    taken: list[ast.expr] = []
    for position, node in enumerate(pattern.nodes):
        whole = LocalName(own, LOAD)
        if node.kind == "rest":
            keys = ast.List(taken, LOAD) if pattern.kind == "map_pattern" else ast.Constant(position)
            remaining = intrinsic("remaining", whole, keys)
            target = bind(node.children[0].text)
            statements.append(translator.with_position(ast.Assign([target], remaining), node))
            continue
        if pattern.kind == "map_pattern":
            key: ast.expr = translator.with_position(ast.Constant(node.children[0].text), node)
            inner = next((child for child in node.nodes if child.kind.endswith("_pattern")), None)
            inner = inner or SyntaxNode("name_pattern", (node.children[0],), node.start, node.end)
            read = intrinsic("member", whole, key)
        else:
            key, inner = translator.with_position(ast.Constant(position), node), node.nodes[0]
            read = intrinsic("item", whole, key)
        taken.append(key)
        statements += destructure(translator, inner, _with_default(translator, node, read), bind)
    return statements


def _with_default(translator: Translator, node: SyntaxNode, read: ast.expr) -> ast.expr:
    """Return an expression for one part of a value, which is the default in the pattern if the part is null.

    Parameters: ``node`` is the field or element of the pattern, such as ``a = 1``. ``read`` is the expression that
    reads the part; it is returned unchanged if the pattern has no default.
    """
    default = next((child for child in node.nodes if not child.kind.endswith("_pattern")), None)
    if default is None:
        return read
    name = translator.temporary()
    test = is_null(ast.NamedExpr(LocalName(name, STORE), read))
    return ast.IfExp(test, translator.expression(default), LocalName(name, LOAD))
