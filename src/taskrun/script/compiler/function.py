"""The code of a program, at its place in a file: a function of the scope.

Rules: code is shared by all places with the same text; the function, its file and its lines belong to one place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import CodeType, FunctionType
from typing import Any

from taskrun.script.compiler.compile import NAME, compile_body
from taskrun.script.compiler.failures import Origin, explain, rebased
from taskrun.script.compiler.operations import operations
from taskrun.script.limits import Limits
from taskrun.script.program import ScriptProgram
from taskrun.script.scope import Names
from taskrun.script.script_source import ScriptSource


def function_of(
    program: ScriptProgram, part: ScriptSource, table: Mapping[str, Any], limits: Limits
) -> Callable[[Names], Any]:
    """Return the function that evaluates a program: it takes the scope and returns the value."""
    names = program.variables.reads.intersection(table)

    def make(body: Any) -> _Codes:
        code = compile_body(body, table=names, lenient=program.lenient, suspends=program.suspends)
        return _Codes(code, any(isinstance(item, CodeType) for item in code.co_consts))

    path = part.node.source.path if part.node.places is None else part.location(0).path
    codes: _Codes = program.compile_once(make)
    lines = _lines(program, part) if codes.nested else 0
    code = codes.at(path, lines)
    told = partial(explain, Origin(code, lines, part, program.parsed, table))
    return FunctionType(code, operations(program.lenient), NAME, (told, table, limits))


class _Codes:
    """The code of one program in each of the files in which its text stands."""

    __slots__ = ("_shared", "code", "nested")

    def __init__(self, code: CodeType, nested: bool) -> None:
        self.code = code
        self.nested = nested  # whether functions may leave it, which then show their own lines
        self._shared: dict[str, CodeType] = {}

    def at(self, path: str, lines: int) -> CodeType:
        if self.nested:
            return rebased(self.code, path, lines)
        if path not in self._shared:
            self._shared[path] = rebased(self.code, path, 0)
        return self._shared[path]


def _lines(program: ScriptProgram, part: ScriptSource) -> int:
    """Return how far the lines of the file are from those of the program."""
    line = 2 if program.parsed.index(1, 0) < 0 else 1
    return part.location(max(0, program.parsed.index(line, 0))).line - line
