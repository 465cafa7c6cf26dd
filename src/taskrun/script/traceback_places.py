"""Where a script failed: reads and trims the traceback of an exception, and adds a note with the location to it.

Rules: the exception stays the object that was raised. If it passes through several scripts that call each other, only
the innermost adds a note.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import TypeVar

from taskrun.script.script_source import NOTE

_Place = TypeVar("_Place")


def traceback_entries(error: BaseException) -> Iterator[TracebackType]:
    """Yield the entries of the traceback of an exception, from the outermost call to the place that raised it."""
    entry = error.__traceback__
    while entry is not None:
        yield entry
        entry = entry.tb_next


def is_frame_of(entry: TracebackType, packages: str | tuple[str, ...]) -> bool:
    """Return whether a traceback entry belongs to code of a module whose name begins with one of ``packages``."""
    return str(entry.tb_frame.f_globals.get("__name__")).startswith(packages)


def replace_traceback(error: BaseException, entries: Sequence[TracebackType]) -> None:
    """Replace the traceback of an exception by copies of ``entries``, in order from the outermost call inwards.

    It serves to remove entries of the evaluator, which do not help the author of the script.
    """
    trimmed: TracebackType | None = None
    for entry in reversed(entries):
        trimmed = TracebackType(trimmed, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    error.__traceback__ = trimmed


def add_location_note(error: BaseException, failed: _Place | None, location_text: Callable[[_Place], str]) -> None:
    """Add a note with the location of the failed expression of a script to ``error``.

    Nothing is added if ``failed``, the failed expression, is None, or if ``error`` has such a note already from an
    inner script. Parameters: ``location_text`` returns ``file:line:column: source line`` for ``failed``.
    """
    if failed is not None and not any(note.startswith(NOTE) for note in getattr(error, "__notes__", ())):
        error.add_note(NOTE + location_text(failed))
