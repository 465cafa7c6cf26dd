"""Kinds of AST nodes that XScript is translated into, in addition to the AST nodes of Python.

Rules: the translator of XScript creates these AST nodes, and the compiler turns them into plain Python. A ScopeName or
LocalName states explicitly where its variable is stored, whereas a plain ``ast.Name`` is resolved by Python's rules.
The operation that an Intrinsic calls is chosen by the translator, never by the text of a script.
"""

from __future__ import annotations

import ast


class ScopeName(ast.Name):
    """AST node of a variable of the flow's scope.

    It means this variable even in a function that assigns it, where ``ast.Name`` would mean a local variable.
    """


class LocalName(ast.Name):
    """AST node of a Python local variable of the enclosing function or script, or of an outer function (``nonlocal``).

    Its ``id`` may contain characters that Python does not allow in identifiers, so that no script can write this name.
    """


class Intrinsic(ast.expr):
    """AST node of a call of a built-in operation of XScript, such as ``equal``.

    ``operation`` is the name of the operation, ``arguments`` are the argument expressions.
    """

    _fields = ("arguments",)
    operation: str
    arguments: list[ast.expr]


def intrinsic(operation: str, *arguments: ast.expr) -> Intrinsic:
    """Return an Intrinsic: an AST node that calls the operation of XScript with this name."""
    node = Intrinsic()
    node.operation = operation
    node.arguments = list(arguments)
    return node
