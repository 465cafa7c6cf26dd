"""AST nodes that XScript is translated into in addition to Python's own nodes.

Rules: the translator of a dialect creates these nodes, and the compiler turns them into plain Python. A ScopeName or
LocalName states explicitly where its variable is stored, whereas a plain ``ast.Name`` is resolved by Python's rules.
The operation that an Intrinsic calls is chosen by the translator, never by the text of a script.
"""

from __future__ import annotations

import ast


class ScopeName(ast.Name):
    """AST node of a variable of the flow's scope, at any position in the script."""


class LocalName(ast.Name):
    """AST node of a Python local variable of the enclosing function or script, including ``nonlocal`` ones.

    Its ``id`` may contain characters that are not allowed in identifiers.
    """


class Intrinsic(ast.expr):
    """AST node of a call of a built-in operation of XScript; ``arguments`` are the argument expressions."""

    _fields = ("arguments",)
    operation: str
    arguments: list[ast.expr]


def intrinsic(operation: str, *arguments: ast.expr) -> Intrinsic:
    """Return an AST node that calls the operation of XScript with this name."""
    node = Intrinsic()
    node.operation = operation
    node.arguments = list(arguments)
    return node
