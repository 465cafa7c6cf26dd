"""Notes on exceptions that name the steps through which they propagated, for tracebacks and for StepError."""

from __future__ import annotations

from typing import Self

from taskrun.source import Location


class StepNote(str):
    """Note on an exception that propagated through a step: ``in step main/b (flow.task.xml:12:5)``.

    It is a str, so that tracebacks show it, and has the path and the location of the step as attributes.
    """

    __slots__ = ("location", "path")

    path: str
    location: Location

    def __new__(cls, path: str, location: Location) -> Self:
        """Create the note for the step at ``path``, whose element is at ``location``."""
        note = super().__new__(cls, f"in step {path} ({location})")
        note.path = path
        note.location = location
        return note
