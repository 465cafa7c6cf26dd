"""Native function of a compiled script: the shared code of a script text, with the file path and lines of one location.

Rules: scripts with the same text are compiled once and share the code. Each location of that text has a native function
of its own, so that tracebacks and failures show the right file and lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import CodeType, FunctionType
from typing import Any

from taskrun.script.compiler.compile import FUNCTION_NAME, compile_program
from taskrun.script.compiler.failures import CodeOrigin, explain, moved_code
from taskrun.script.compiler.operations import operations
from taskrun.script.limits import Limits
from taskrun.script.program import ScriptProgram
from taskrun.script.scope import Names
from taskrun.script.script_source import ScriptSource


def native_function(
    program: ScriptProgram, part: ScriptSource, namespace: Mapping[str, Any], limits: Limits
) -> Callable[[Names], Any]:
    """Return the native function of a script: it takes the scope as its argument and returns the value of the script.

    For a script with ``await`` it returns a coroutine. Parameters: ``program`` is the parsed and checked script,
    ``part`` its text with its position in the file. ``namespace`` contains the names that it can read besides
    variables. The first call compiles ``program``; further calls use the same code.
    """
    names = program.variables.reads.intersection(namespace)

    def make(body: Any) -> _CodeByFile:
        code = compile_program(body, namespace=names, lenient=program.lenient, suspends=program.suspends)
        return _CodeByFile(code, any(isinstance(item, CodeType) for item in code.co_consts))

    path = part.node.source.path if part.node.places is None else part.location(0).path
    codes: _CodeByFile = program.compile_once(make)
    lines = _line_offset(program, part) if codes.nested else 0
    code = codes.at(path, lines)
    explain_error = partial(explain, CodeOrigin(code, lines, part, program.parsed, namespace))
    return FunctionType(code, operations(program.lenient), FUNCTION_NAME, (explain_error, namespace, limits))


class _CodeByFile:
    """Code object of one script text, with a cached copy for each file that contains the text."""

    __slots__ = ("_shared", "code", "nested")

    def __init__(self, code: CodeType, nested: bool) -> None:
        self.code = code
        self.nested = nested  # whether it has functions, which need the lines of the file
        self._shared: dict[str, CodeType] = {}

    def at(self, path: str, lines: int) -> CodeType:
        """Return a copy of the code for the file ``path``; if it has functions, its line numbers grow by ``lines``.

        Code without functions is shared by all its locations in the file: ``explain`` gives its tracebacks the right
        lines.
        """
        if self.nested:
            return moved_code(self.code, path, lines)
        if path not in self._shared:
            self._shared[path] = moved_code(self.code, path, 0)
        return self._shared[path]


def _line_offset(program: ScriptProgram, part: ScriptSource) -> int:
    """Return the number to add to a line of the syntax tree to get the line in the task file."""
    line = 2 if program.parsed.index(1, 0) < 0 else 1
    return part.location(max(0, program.parsed.index(line, 0))).line - line
