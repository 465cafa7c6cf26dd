"""Where a failure came through: the note that it carries for each step."""

from __future__ import annotations

from typing import Self

from taskrun.source import Location


class StepNote(str):
    """The note that a failure carries for each step it passed: ``in step main/b (flow.task.xml:12:5)``."""

    __slots__ = ("location", "path")

    path: str
    location: Location

    def __new__(cls, path: str, location: Location) -> Self:
        """Make the note for the step at ``path``, which stands at ``location``."""
        note = super().__new__(cls, f"in step {path} ({location})")
        note.path = path
        note.location = location
        return note
