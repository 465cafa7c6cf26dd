"""Observer that prints the progress of a run for people, one line per event.

    ✓ main/b  12 ms
    ✗ main/c  ValueError: no such order
    – main/d  skipped: when 'total > 100' was false
    ↻ main/d  attempt 1 failed: TimeoutError; next in 2.0 s
    │ main/e  a line of output of the step's process
    … main/f  40% the text of a progress report
    ↶ main/b  undone

Rules: colors are used only on a terminal, and not if the environment variable NO_COLOR is set. If the encoding of the
stream lacks these signs, words such as ``ok`` and ``failed`` replace them.
"""

from __future__ import annotations

import os
from typing import TextIO

from taskrun.core.events import Event, StepFinished, StepOutput, StepProgress, StepRetried, StepReverted, StepSkipped

_SIGNS = ("✓", "✗", "–", "↻", "│", "…", "↶")
_ASCII_SIGNS = ("ok", "failed", "-", "retry", "|", "..", "undone")
_COLORS = ("32", "31", "2", "33", "2", "2", "33")
SUCCEEDED, FAILED, SKIPPED, RETRIED, OUTPUT, PROGRESS, REVERTED = range(7)


class Progress:
    """Observer that writes the progress of runs to a text stream: ``TaskManager(observers=[Progress(sys.stderr)])``.

    It writes a line when a step ends, is skipped, retried or undone, for each line of output of a step's process, and
    for each progress report.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._signs = _SIGNS if _can_encode(stream, "".join(_SIGNS)) else _ASCII_SIGNS
        self._colored = stream.isatty() and "NO_COLOR" not in os.environ

    def __call__(self, event: Event) -> None:
        """Write the line of an event; do nothing for an event that has none, such as the start of a step."""
        if isinstance(event, StepFinished):
            if event.status == "SUCCEEDED":
                self._write(SUCCEEDED, event.path, _time(event.seconds))
            else:
                self._write(FAILED, event.path, event.error or event.status)
        elif isinstance(event, StepSkipped):
            self._write(SKIPPED, event.path, f"skipped: {event.reason}")
        elif isinstance(event, StepOutput):
            self._write(OUTPUT, event.path, event.text)
        elif isinstance(event, StepProgress):
            self._write(PROGRESS, event.path, f"{event.fraction:.0%} {event.text}")
        elif isinstance(event, StepReverted):
            if event.status == "REVERTED":
                self._write(REVERTED, event.path, "undone")
            else:
                self._write(FAILED, event.path, f"cannot be undone: {event.error}")
        elif isinstance(event, StepRetried):
            self._write(
                RETRIED, event.path, f"attempt {event.attempt} failed: {event.error}; next in {_time(event.delay)}"
            )

    def _write(self, sign: int, path: str, text: str) -> None:
        """Write a line that begins with a sign, such as ``✓``; ``sign`` is its index, a constant such as SUCCEEDED."""
        shown = self._signs[sign]
        if self._colored:
            shown = f"\x1b[{_COLORS[sign]}m{shown}\x1b[0m"
        line = f"{shown} {path}  {' '.join(text.split())}\n"
        encoding = self._stream.encoding or "utf-8"
        self._stream.write(line.encode(encoding, "replace").decode(encoding))
        self._stream.flush()


def _can_encode(stream: TextIO, text: str) -> bool:
    """Return whether the encoding of the stream has all characters of the text."""
    try:
        text.encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _time(seconds: float) -> str:
    """Return a duration for people: ``1.5 s``, or ``12 ms`` if it is shorter than a second."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"
