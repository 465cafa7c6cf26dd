"""Where a compiled script failed: read off the exception's traceback, written on the exception as a note.

Rules: the exception stays the object that was raised; it gets one note, the first time it leaves a script. Of its
traceback the script's own frames stay, at the lines of the task file, and whatever the script called; the frames of the
guarded operations are taken out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from types import CodeType, TracebackType
from typing import Any, NamedTuple

from taskrun.script.parse import Parsed
from taskrun.script.scope import UnknownVariableError
from taskrun.script.script_source import NOTE, ScriptSource
from taskrun.script.unknown_name import unknown_variable

_PACKAGE = "taskrun.script."


class Origin(NamedTuple):
    """What is known of a function of a script: its code, how far its lines are moved, where its text stands."""

    code: CodeType
    lines: int
    part: ScriptSource
    parsed: Parsed
    table: Mapping[str, Any]

    def failed(self, step: TracebackType) -> int | None:
        """Return the index in the text of what a frame of this script was doing."""
        positions = step.tb_frame.f_code.co_positions()
        line, _, column, _ = next(islice(positions, step.tb_lasti // 2, None), (None, None, None, None))
        return None if line is None or column is None else self.parsed.index(line - self.lines, column)


def explain(origin: Origin, error: Exception) -> None:
    """Note on ``error``, which leaves the script of ``origin``, which expression failed."""
    failed: int | None = None
    kept: list[TracebackType] = []
    own = set(_codes(origin.code))
    for step in _steps(error.__traceback__):
        frame = step.tb_frame
        if frame.f_code in own and step.tb_lasti >= 0:
            failed = origin.failed(step)
            if type(error) is UnknownVariableError and not error.explained:
                error.explain(unknown_variable(str(error.name), frame.f_locals["_S"], origin.table))
            line = step.tb_lineno if failed is None else origin.part.location(failed).line
            kept.append(TracebackType(None, frame, -1, line))
        elif not str(frame.f_globals.get("__name__")).startswith(_PACKAGE):
            kept.append(step)
    trimmed: TracebackType | None = None
    for step in reversed(kept):
        trimmed = TracebackType(trimmed, step.tb_frame, step.tb_lasti, step.tb_lineno)
    error.__traceback__ = trimmed
    if failed is not None and not any(note.startswith(NOTE) for note in getattr(error, "__notes__", ())):
        error.add_note(NOTE + origin.part.place(failed))


def rebased(code: CodeType, file: str, lines: int) -> CodeType:
    """Return the code, and that of the functions in it, at its lines in the task file."""
    constants = tuple(rebased(item, file, lines) if isinstance(item, CodeType) else item for item in code.co_consts)
    first = max(0, code.co_firstlineno + lines)
    name = code.co_qualname.removeprefix("script.<locals>.")
    return code.replace(co_consts=constants, co_filename=file, co_firstlineno=first, co_qualname=name)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for item in code.co_consts:
        if isinstance(item, CodeType):
            yield from _codes(item)


def _steps(step: TracebackType | None) -> Iterator[TracebackType]:
    while step is not None:
        yield step
        step = step.tb_next
