"""Translation of an XScript to a Python syntax tree.

    let names = [];
    for (let o of orders) { if (o.total > 10) names.push(o.customer?.name ?? "nobody") }
    names.join(", ")

Rules: every AST node has the position of the text that it was translated from. The value of a script is that of its
``return``, else of the expression statement that was executed last.
"""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from taskrun.script.limits import Limits
from taskrun.script.problems import SYNTAX, Problem, ProblemsError
from taskrun.script.xscript.expressions import EXPRESSION_HANDLERS
from taskrun.script.xscript.parse import SyntaxNode, parse
from taskrun.script.xscript.statements import STATEMENT_HANDLERS
from taskrun.script.xscript.translator import Translator


@dataclass(frozen=True, slots=True)
class TranslatedProgram:
    """Translated XScript: its Python statements, and the variables that it reads from and stores in the scope.

    ``imports`` maps each imported name to its dotted path and to the index of the import in the text. Imports of Java
    classes are left out.
    """

    body: list[ast.stmt]
    reads: frozenset[str]
    stores: frozenset[str]
    imports: Mapping[str, tuple[str, int]]


def translate_xscript(text: str, *, expression: bool, limits: Limits) -> TranslatedProgram:
    """Translate an XScript to Python; with ``expression``, the text must be exactly one expression.

    Raises ProblemsError for a syntax error, an unsupported construct, or a text that exceeds ``limits``.
    """
    if expression:
        text = text.rstrip(" \t\r\n;")
    tree = parse(text, limits, expression=expression)
    starts = [0, *(index + 1 for index, letter in enumerate(text) if _ends_line(text, index, letter))]

    def position(index: int) -> tuple[int, int]:
        """Return the line (from 1) and the column (UTF-8 bytes from 0) of an index in the text."""
        line = bisect_right(starts, index)
        return line, len(text[starts[line - 1] : index].encode())

    translator = Translator(position, EXPRESSION_HANDLERS, STATEMENT_HANDLERS)
    try:
        body = _expression_statement(translator, tree) if expression else translator.block(tree.nodes)
    except RecursionError:
        raise ProblemsError([Problem(0, SYNTAX, "the script is nested too deeply")]) from None
    found = translator.variables
    imported = {name: source for name, source in translator.imports.items() if source[0]}
    return TranslatedProgram(body, frozenset(found.reads), frozenset(found.stores), imported)


def _ends_line(text: str, index: int, letter: str) -> bool:
    """Return whether the character ``letter`` ends a line: a line feed, or a carriage return without one behind it."""
    return letter == "\n" or (letter == "\r" and text[index + 1 : index + 2] != "\n")


def _expression_statement(translator: Translator, tree: SyntaxNode) -> list[ast.stmt]:
    """Return the Python statements for an XScript that is exactly one expression, whose syntax node is ``tree``."""
    value = translator.expression(tree)
    return [*translator.hoisted, translator.with_position(ast.Expr(value), tree)]
