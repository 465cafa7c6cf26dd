"""Location of a failure in a compiled script: finds the failed expression and adds a note with its location.

Rules: the exception object stays the same and gets one note. Its traceback keeps the frames of the script, with the
line numbers of the task file, and the frames of functions that the script called. The frames of guarded operations are
removed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from types import CodeType, TracebackType
from typing import Any, NamedTuple

from taskrun.script.compiler.ast_builders import SCOPE
from taskrun.script.parse import Parsed
from taskrun.script.scope import UnknownVariableError
from taskrun.script.script_source import ScriptSource
from taskrun.script.traceback_places import add_location_note, is_frame_of, replace_traceback, traceback_entries
from taskrun.script.unknown_name import unknown_variable

_PACKAGE = "taskrun.script."


class CodeOrigin(NamedTuple):
    """Code object of a compiled script and what is needed to find its instructions in the task file again.

    Attributes:
        code: The code object of the native function.
        lines: The number that was added to its line numbers, to make them those of the file.
        part: The script text with its position in the file.
        parsed: The syntax tree with the conversion of its positions to indexes in the script text.
        namespace: The names that the script can read besides its variables, for hints about unknown names.
    """

    code: CodeType
    lines: int
    part: ScriptSource
    parsed: Parsed
    namespace: Mapping[str, Any]

    def failed_index(self, entry: TracebackType) -> int | None:
        """Return the index in the script text of the instruction that a frame was executing.

        Parameters: ``entry`` is the traceback entry of a frame of this script. Returns None if Python does not know the
        position.
        """
        positions = entry.tb_frame.f_code.co_positions()
        line, _, column, _ = next(islice(positions, entry.tb_lasti // 2, None), (None, None, None, None))
        return None if line is None or column is None else self.parsed.index(line - self.lines, column)


def explain(origin: CodeOrigin, error: Exception) -> None:
    """Add the location of the failed expression to an exception that leaves a script, and shorten its traceback.

    The frames of guarded operations are removed from the traceback. The message of an UnknownVariableError gets a hint,
    such as the most similar name.
    """
    failed: int | None = None
    remaining: list[TracebackType] = []
    own = set(_nested_codes(origin.code))
    for entry in traceback_entries(error):
        frame = entry.tb_frame
        if frame.f_code in own and entry.tb_lasti >= 0:
            failed = origin.failed_index(entry)
            if type(error) is UnknownVariableError and not error.explained:
                error.explain(unknown_variable(str(error.name), frame.f_locals[SCOPE], origin.namespace))
            line = entry.tb_lineno if failed is None else origin.part.location(failed).line
            remaining.append(TracebackType(None, frame, -1, line))
        elif not is_frame_of(entry, _PACKAGE):
            remaining.append(entry)
    replace_traceback(error, remaining)
    add_location_note(error, failed, origin.part.place)


def _nested_codes(code: CodeType) -> Iterator[CodeType]:
    """Yield a code object and the code objects of all functions inside it, at any depth."""
    yield code
    for item in code.co_consts:
        if isinstance(item, CodeType):
            yield from _nested_codes(item)
