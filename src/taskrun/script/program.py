"""From the text of a script to a program that can be run: parse, check, find the variables.

Rules: nothing here knows in which file the text stands, so texts that are the same share one program; nothing here
knows how a program is evaluated. What an evaluator makes of the tree is made when it is first needed, and once.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from threading import RLock
from types import MappingProxyType
from typing import Any

from taskrun.script.limits import Limits
from taskrun.script.parse import Parsed, parse_expression, parse_program
from taskrun.script.problems import SYNTAX, Problem, ProblemsError
from taskrun.script.sandbox.checks import check
from taskrun.script.variables import Variables, variables

_LEAVING = (ast.FunctionDef, ast.Lambda, ast.GeneratorExp)  # what can outlive an evaluation
_MAKING = RLock()


class Program:
    """A checked text: its tree, the variables that it reads and stores, and where its nodes stand in the text.

    ``imports`` are the dotted paths of imported names, and where they stand. ``lenient`` makes an unknown variable null; ``suspends`` tells that it awaits something, ``closed`` that
    nothing of it can outlive its evaluation, ``leaves`` that its value is Ellipsis where it did not say ``return``.
    """

    __slots__ = ("_body", "_made", "closed", "imports", "leaves", "lenient", "parsed", "suspends", "variables")

    def __init__(
        self,
        parsed: Parsed,
        found: Variables,
        *,
        lenient: bool = False,
        imports: Mapping[str, tuple[str, int]] = MappingProxyType({}),
    ) -> None:
        self._body: list[ast.stmt] = parsed.body
        self._made: Any = None
        self.parsed = parsed
        self.variables = found
        self.lenient = lenient
        self.imports = imports
        kinds = {type(node) for part in parsed.body for node in ast.walk(part)}
        self.suspends = ast.Await in kinds
        self.closed = kinds.isdisjoint(_LEAVING)
        self.leaves = False

    def mark_end(self) -> None:
        """Let the program give Ellipsis where it ends without a ``return``, if it has one outside of functions."""
        if any(map(_returns, self._body)):
            self._body.append(ast.Return(ast.Constant(...)))
            ast.fix_missing_locations(ast.copy_location(self._body[-1], self._body[-2]))
            self.leaves = True

    def made(self, make: Callable[[list[ast.stmt]], Any]) -> Any:
        """Return what ``make`` gives for the tree, which it uses up; it is called once, the result is kept."""
        if self._made is None:
            with _MAKING:
                if self._made is None:
                    self._made = make(self._body)
                    self._body = []
        return self._made

    def index(self, node: Any) -> int:
        """Return the index in the text at which a node of the tree starts."""
        return self.parsed.index(getattr(node, "lineno", 1), getattr(node, "col_offset", 0))


def _returns(statement: ast.AST) -> bool:
    """Whether a statement has a ``return`` outside of functions."""
    if isinstance(statement, ast.Return):
        return True
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return False
    return any(map(_returns, ast.iter_child_nodes(statement)))


def build(text: str, limits: Limits, language: str, *, expression: bool) -> Program:
    """Return the program of a text, or raise ProblemsError with everything that is wrong with it."""
    short_enough(text, limits)
    if language == "xscript":
        from taskrun.script.xscript.translate import translate_xscript  # imports lark

        done = translate_xscript(text, expression=expression, limits=limits)
        return Program(
            Parsed(done.body, text, 0), Variables(done.reads, done.stores), lenient=True, imports=done.imports
        )
    parsed = parse_expression(text) if expression else parse_program(text)
    check(parsed.body, parsed.index, limits)
    return Program(parsed, variables(parsed.body))


def short_enough(text: str, limits: Limits) -> None:
    """Raise ProblemsError when a text is too long to be looked at."""
    if len(text) > limits.source_length:
        message = f"the script has {len(text):,} characters; {limits.source_length:,} are allowed"
        raise ProblemsError([Problem(0, SYNTAX, message, "move it to a module of your own")])
