"""A line for people who watch a run: for a finished step, for what its process writes, for progress that it tells.

    ✓ main/b  12 ms
    ✗ main/c  ValueError: no such order
    – main/d  skipped: when 'total > 100' was false
    │ main/e  a line that the step's process wrote
    … main/f  40% what the step says of its progress
    ↶ main/b  undone

Rules: colour only on a terminal and without NO_COLOR; plain signs where the encoding has no others.
"""

from __future__ import annotations

import os
from typing import TextIO

from taskrun.core.events import Event, StepFinished, StepOutput, StepProgress, StepRetried, StepReverted, StepSkipped

_SIGNS = ("✓", "✗", "–", "↻", "│", "…", "↶")
_PLAIN = ("ok", "failed", "-", "retry", "|", "..", "undone")
_COLOURS = ("32", "31", "2", "33", "2", "2", "33")
GOOD, BAD, LEFT_OUT, AGAIN, SAID, GOING, UNDONE = range(7)


class Progress:
    """An observer that writes the lines to a text stream."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._signs = _SIGNS if _can_show(stream, "".join(_SIGNS)) else _PLAIN
        self._coloured = stream.isatty() and "NO_COLOR" not in os.environ

    def __call__(self, event: Event) -> None:
        """Write the event's line, if it has one."""
        if isinstance(event, StepFinished):
            if event.status == "SUCCEEDED":
                self._write(GOOD, event.path, _time(event.seconds))
            else:
                self._write(BAD, event.path, event.error or event.status)
        elif isinstance(event, StepSkipped):
            self._write(LEFT_OUT, event.path, f"skipped: {event.reason}")
        elif isinstance(event, StepOutput):
            self._write(SAID, event.path, event.text)
        elif isinstance(event, StepProgress):
            self._write(GOING, event.path, f"{event.fraction:.0%} {event.text}")
        elif isinstance(event, StepReverted):
            if event.status == "REVERTED":
                self._write(UNDONE, event.path, "undone")
            else:
                self._write(BAD, event.path, f"cannot be undone: {event.error}")
        elif isinstance(event, StepRetried):
            self._write(
                AGAIN, event.path, f"attempt {event.attempt} failed: {event.error}; next in {_time(event.delay)}"
            )

    def _write(self, sign: int, path: str, text: str) -> None:
        shown = self._signs[sign]
        if self._coloured:
            shown = f"\x1b[{_COLOURS[sign]}m{shown}\x1b[0m"
        line = f"{shown} {path}  {' '.join(text.split())}\n"
        encoding = self._stream.encoding or "utf-8"
        self._stream.write(line.encode(encoding, "replace").decode(encoding))
        self._stream.flush()


def _can_show(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"
