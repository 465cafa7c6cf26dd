"""Notes of exceptions that name the steps that they passed, for tracebacks and for StepError."""

from __future__ import annotations

from typing import Self

from taskrun.source import Location


class StepNote(str):
    """Note of an exception for a step that it passed: ``in step main/b (flow.task.xml:12:5)``."""

    __slots__ = ("location", "path")

    path: str
    location: Location

    def __new__(cls, path: str, location: Location) -> Self:
        """Create the note for the step at ``path``, whose element is at ``location``."""
        note = super().__new__(cls, f"in step {path} ({location})")
        note.path = path
        note.location = location
        return note
