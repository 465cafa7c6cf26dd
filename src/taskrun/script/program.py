"""Parsing and checking of a script text: the result is a ScriptProgram, which an evaluator compiles.

Rules: a ScriptProgram contains no reference to a file, so that equal texts can share one. It contains nothing that
depends on the evaluator. An evaluator compiles the syntax tree at the first run, and only once.
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
from taskrun.script.sandbox.checks import check_tree
from taskrun.script.variables import ProgramVariables, find_variables

_OUTLIVING = (ast.FunctionDef, ast.Lambda, ast.GeneratorExp)  # their values can outlive an evaluation
_COMPILING = RLock()


class ScriptProgram:
    """Parsed and checked script text: its syntax tree and the variables that it reads and stores.

    Attributes:
        parsed: The syntax tree, with the conversion of its positions to indices of the text.
        variables: The names that the script may read from its scope and assign there.
        lenient: Whether an unknown variable has the value null instead of raising an error, as in XScript.
        imports: For each name that an ``import`` of XScript defines: the dotted name of the imported object, and the
            index of the ``import`` in the text.
        suspends: Whether the script contains ``await``.
        closed: Whether nothing of the script can outlive an evaluation. It is False if the script contains a function
            or generator expression.
        leaves: Whether the script returns Ellipsis when it ends without ``return``.
    """

    __slots__ = ("_body", "_compiled", "closed", "imports", "leaves", "lenient", "parsed", "suspends", "variables")

    def __init__(
        self,
        parsed: Parsed,
        variables: ProgramVariables,
        *,
        lenient: bool = False,
        imports: Mapping[str, tuple[str, int]] = MappingProxyType({}),
    ) -> None:
        self._body: list[ast.stmt] = parsed.body
        self._compiled: Any = None
        self.parsed: Parsed = parsed
        self.variables: ProgramVariables = variables
        self.lenient: bool = lenient
        self.imports: Mapping[str, tuple[str, int]] = imports
        kinds = {type(node) for part in parsed.body for node in ast.walk(part)}
        self.suspends: bool = ast.Await in kinds
        self.closed: bool = kinds.isdisjoint(_OUTLIVING)
        self.leaves: bool = False

    def mark_missing_return(self) -> None:
        """Make the script return Ellipsis when it ends without ``return``, and set ``leaves``.

        Does nothing if the script has no ``return`` outside functions. The caller can then see whether ``return`` ended
        it.
        """
        if any(map(_has_return, self._body)):
            self._body.append(ast.Return(ast.Constant(...)))
            ast.fix_missing_locations(ast.copy_location(self._body[-1], self._body[-2]))
            self.leaves = True

    def compile_once(self, compile_tree: Callable[[list[ast.stmt]], Any]) -> Any:
        """Return ``compile_tree(body)``: the first call computes and stores it, later calls return the stored result.

        ``body`` are the statements of the script; ``compile_tree`` may modify them. Several threads may call this at
        once.
        """
        if self._compiled is None:
            with _COMPILING:
                if self._compiled is None:
                    self._compiled = compile_tree(self._body)
                    self._body = []
        return self._compiled

    def index(self, node: Any) -> int:
        """Return the index in the script text at which an AST node starts."""
        return self.parsed.index(getattr(node, "lineno", 1), getattr(node, "col_offset", 0))


def _has_return(statement: ast.AST) -> bool:
    """Return whether a statement contains a ``return`` that does not belong to a function inside it."""
    if isinstance(statement, ast.Return):
        return True
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return False
    return any(map(_has_return, ast.iter_child_nodes(statement)))


def build_program(text: str, limits: Limits, language: str, *, expression: bool) -> ScriptProgram:
    """Parse and check a script text and return it as a ScriptProgram.

    ``language`` is the dialect. With ``expression`` the text must be exactly one expression. Raises ProblemsError with
    all problems of the text.
    """
    check_length(text, limits, "script", "move it to a module of your own")
    if language == "xscript":
        from taskrun.script.xscript.translate import translate_xscript  # imports lark

        done = translate_xscript(text, expression=expression, limits=limits)
        variables = ProgramVariables(done.reads, done.stores)
        return ScriptProgram(Parsed(done.body, text, 0), variables, lenient=True, imports=done.imports)
    parsed = parse_expression(text) if expression else parse_program(text)
    check_tree(parsed.body, parsed.index, limits)
    return ScriptProgram(parsed, find_variables(parsed.body))


def check_length(text: str, limits: Limits, kind: str, hint: str = "") -> None:
    """Raise ProblemsError if a text has more characters than ``limits`` allow.

    ``kind`` is what the message calls the text, such as "script"; ``hint`` says how to shorten it.
    """
    if len(text) > limits.source_length:
        message = f"the {kind} has {len(text):,} characters; {limits.source_length:,} are allowed"
        raise ProblemsError([Problem(0, SYNTAX, message, hint)])
