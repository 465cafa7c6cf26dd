"""Translation of chains of members, items and calls, such as ``a.b?.c[0](x)``, and of the arguments of calls.

Rules: the members, items and calls of a chain are its links. A member and the call behind it become one operation. If
the value before ``?.`` is null, the rest of the chain is not evaluated, and the whole chain is null.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from types import MappingProxyType

from taskrun.script.ir import LocalName, ScopeName, intrinsic
from taskrun.script.problems import FORBIDDEN, Problem, ProblemsError
from taskrun.script.sandbox.guard import refused_attribute
from taskrun.script.xscript.lexer import unescape
from taskrun.script.xscript.members import REFUSED_MEMBERS
from taskrun.script.xscript.parse import SyntaxNode
from taskrun.script.xscript.translator import Translator, is_null, unsupported
from taskrun.script.xscript.variables import LOAD, STORE

LINKS = frozenset({"member", "optional_member", "item", "optional_item", "call", "optional_call"})
"""The kinds of the syntax nodes that are links of a chain."""

_REFUSED_CALLS = MappingProxyType(
    {
        "eval": "write the expression itself",
        "xpl": "write the tags in a <source> with elements",
        "raw": "write the value without raw(…)",
        "track": "add an observer of the events of the run",
        "loadDslModel": "read the file with an <invoke> step",
    }
)


def translate_chain(translator: Translator, node: SyntaxNode) -> ast.expr:
    """Translate a chain of members, items and calls such as ``a.b?.c[0](x)``; ``node`` is its last link."""
    links: list[SyntaxNode] = []
    while node.kind in LINKS:
        links.append(node)
        node = node.children[0]
    return _apply_links(translator, _chain_start(translator, node, links), links[::-1])


def _chain_start(translator: Translator, node: SyntaxNode, links: list[SyntaxNode]) -> ast.expr:
    """Return the expression for the start of a chain, such as ``a`` in ``a.b.c``.

    ``links`` are the links of the chain in reverse order. The start ``$scope.x`` is the variable ``x`` of the scope:
    the link ``.x`` is then removed from ``links``.
    """
    if node.kind == "name" and node.children[0].text == "$scope" and links[-1].kind == "member":
        return translator.with_position(translator.variables.load_name(links.pop().children[1].text), node)
    return translator.expression(node)


def _apply_links(translator: Translator, value: ast.expr, links: Sequence[SyntaxNode]) -> ast.expr:
    """Return an expression that applies the links of a chain to a value.

    Parameters: ``value`` is the start of the chain. ``links`` are in the order of the text, such as ``.b`` and ``(x)``.
    """
    for index, link in enumerate(links):
        if link.kind.startswith("optional_"):
            name = translator.temporary()
            first = ast.NamedExpr(LocalName(name, STORE), value)
            again = translator.with_position(LocalName(name, LOAD), link)
            plain = SyntaxNode(link.kind.removeprefix("optional_"), link.children, link.start, link.end)
            rest = _apply_links(translator, again, [plain, *links[index + 1 :]])
            return translator.with_position(ast.IfExp(is_null(first), ast.Constant(None), rest), link)
        following = links[index + 1].kind if index + 1 < len(links) else ""
        if link.kind == "member" and following == "call":
            continue  # the call translates both to one operation
        applied = _apply_link(translator, value, link, links[index - 1] if index else None)
        value = translator.with_position(applied, link)
    return value


def _apply_link(translator: Translator, value: ast.expr, link: SyntaxNode, before: SyntaxNode | None) -> ast.expr:
    """Return an expression that applies one link of a chain to ``value``.

    ``link`` is its syntax node, such as ``.b`` or ``(x)``; ``before`` is the link in front of it. If that is a member
    and ``link`` a call, both become one operation, and ``value`` is the object that has the member.
    """
    if link.kind == "member":
        return intrinsic("member", value, member_name(translator, link))
    if link.kind == "item":
        return intrinsic("item", value, translator.expression(link.children[1]))
    arguments = link.children[1]
    if before is not None and before.kind == "member":
        name = member_name(translator, before)
        return intrinsic("call_member", value, name, *argument_list(translator, arguments))
    special = _scope_call(translator, value, link, arguments)
    return special or ast.Call(value, argument_list(translator, arguments), [])


def _scope_call(translator: Translator, function: ast.expr, call: SyntaxNode, arguments: SyntaxNode) -> ast.expr | None:
    """Return the expression for ``assign("x", 1)`` or ``get("x")``, which set and read a variable by its name.

    Returns None for any other call. Raises ProblemsError for functions that XScript does not support, such as
    ``eval``.
    """
    if not isinstance(function, ScopeName):
        return None
    if function.id in _REFUSED_CALLS:
        raise unsupported(call, f"'{function.id}' is not possible", _REFUSED_CALLS[function.id])
    given = arguments.nodes
    if function.id not in {"assign", "get"} or not given or given[0].kind != "text":
        return None
    translator.variables.reads.discard(function.id)
    name = unescape(given[0].children[0].text[1:-1])
    if refused_attribute(name) or not name.isidentifier():
        raise unsupported(given[0], f"the name '{name}' is refused", "")
    if function.id == "get":
        return translator.variables.load_name(name)
    if len(given) > 1 and given[1].kind == "spread":
        raise unsupported(given[1], "'...' cannot be the value of 'assign'", "assign a list: [...x]")
    translator.variables.stores.add(name)
    value = translator.expression(given[1]) if len(given) > 1 else ast.Constant(None)
    return ast.NamedExpr(ScopeName(name, STORE), value)


def member_name(translator: Translator, link: SyntaxNode) -> ast.expr:
    """Return the name of a member, such as ``b`` of ``a.b``, as a constant.

    Raises ProblemsError if scripts must not read that member.
    """
    token = link.children[1]
    if token.text in REFUSED_MEMBERS or refused_attribute(token.text):
        message = f"the member '{token.text}' is refused"
        hint = "it gives access to the internals of the language"
        raise ProblemsError([Problem(token.start, FORBIDDEN, message, hint)])
    return translator.with_position(ast.Constant(token.text), link)


def argument_list(translator: Translator, node: SyntaxNode) -> list[ast.expr]:
    """Return the expressions for the arguments of a call or the elements of a list.

    ``...x`` becomes a starred expression.
    """
    return [_starred(translator, item) if item.kind == "spread" else translator.expression(item) for item in node.nodes]


def _starred(translator: Translator, spread: SyntaxNode) -> ast.expr:
    """Return the starred expression for ``...x`` among the arguments of a call or the elements of a list."""
    items = intrinsic("spread_items", translator.expression(spread.nodes[0]))
    return translator.with_position(ast.Starred(items, LOAD), spread)
