"""Nodes of a syntax tree that no text of Python has: what the dialects are translated to besides Python's own nodes.

Rules: a dialect's front end makes them, the compiler turns them into plain Python. A LocalName or ScopeName says itself
where its variable lives; a plain ``ast.Name`` is looked up as Python does. What an Intrinsic calls is chosen by the
front end and never by the text of a script.
"""

from __future__ import annotations

import ast


class ScopeName(ast.Name):
    """A variable of the flow's scope, wherever it stands in the program."""


class LocalName(ast.Name):
    """A variable of the function (or program) around it, as Python's rules for locals and ``nonlocal`` have it.

    Its ``id`` may hold characters that no identifier has.
    """


class Intrinsic(ast.expr):
    """A call of one of the dialect's operations, with the values of ``arguments``."""

    _fields = ("arguments",)
    operation: str
    arguments: list[ast.expr]


def intrinsic(operation: str, *arguments: ast.expr) -> Intrinsic:
    """Return a call of an operation."""
    node = Intrinsic()
    node.operation = operation
    node.arguments = list(arguments)
    return node
