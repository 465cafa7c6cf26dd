"""Additional syntax tree nodes of the intermediate representation that XScript is translated into.

Rules: the translator of a dialect creates these nodes, and the compiler turns them into plain Python. A ScopeName or
LocalName states explicitly where its variable is stored, whereas a plain ``ast.Name`` is resolved by Python's rules.
The operation that an Intrinsic calls is chosen by the translator, never by the text of a script.
"""

from __future__ import annotations

import ast


class ScopeName(ast.Name):
    """Reference to a variable of the flow's scope, at any position in the program."""


class LocalName(ast.Name):
    """Reference to a Python local variable of the enclosing function or program, including ``nonlocal`` ones.

    Its ``id`` may contain characters that are not allowed in identifiers.
    """


class Intrinsic(ast.expr):
    """Call of a built-in operation of the dialect with the values of ``arguments``."""

    _fields = ("arguments",)
    operation: str
    arguments: list[ast.expr]


def intrinsic(operation: str, *arguments: ast.expr) -> Intrinsic:
    """Return a node that calls an operation of the dialect."""
    node = Intrinsic()
    node.operation = operation
    node.arguments = list(arguments)
    return node
