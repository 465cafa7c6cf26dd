"""From the text of a Python script to a program that can be run: parse, check, find the variables, lower.

Rules: nothing here knows in which file the text stands, so texts that are the same share one program; nothing here
knows how a program is evaluated.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from taskrun.script.checks import check
from taskrun.script.limits import Limits
from taskrun.script.lower import Code, lower
from taskrun.script.parse import Parsed, parse_expression, parse_program
from taskrun.script.problems import SYNTAX, Problem, ProblemsError
from taskrun.script.variables import Variables, variables


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled text: the code, the variables that it reads and stores, and where its nodes stand in the text."""

    code: Code
    variables: Variables
    parsed: Parsed

    def index(self, node: ast.AST) -> int:
        """Return the index in the text at which a node of the code starts."""
        return self.parsed.index(getattr(node, "lineno", 1), getattr(node, "col_offset", 0))


def build(text: str, limits: Limits, *, expression: bool) -> Program:
    """Return the program of a text, or raise ProblemsError with everything that is wrong with it."""
    if len(text) > limits.source_length:
        message = f"the script has {len(text):,} characters; {limits.source_length:,} are allowed"
        raise ProblemsError([Problem(0, SYNTAX, message, "move it to a module of your own")])
    parsed = parse_expression(text) if expression else parse_program(text)
    check(parsed.body, parsed.index, limits)
    found = variables(parsed.body)
    return Program(lower(parsed.body), found, parsed)
