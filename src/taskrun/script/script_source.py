"""A piece of a file that holds a script, and the way from a character of the script to the file.

Rules: problems become Diagnostics at the exact character of the file; so does the place of a failure at run time, which
is worked out only then.
"""

from __future__ import annotations

from typing import NamedTuple

from taskrun.errors import BindError
from taskrun.script.problems import ProblemsError
from taskrun.source import Location
from taskrun.syntax.node import Node

NOTE = "in script at "
"""How the note begins that tells which expression of a script failed."""


class Part(NamedTuple):
    """A piece of a file that holds a script: the element's text or an attribute (or a part of it from ``offset``)."""

    node: Node
    attribute: str | None
    text: str
    offset: int = 0

    def location(self, index: int) -> Location:
        """Return where a character of the text stands in the file."""
        return self.node.character_at(index + self.offset, self.attribute)

    def place(self, index: int) -> str:
        """Return ``file:line:column: source line`` of a character of the text."""
        location = self.location(index)
        return f"{location}: {self.node.source_of(location.path).line(location.line).strip()}"

    def error(self, problems: ProblemsError) -> BindError:
        """Return the error that shows the problems where they stand."""
        return BindError(
            self.node.problem(
                problem.code,
                problem.message,
                hint=problem.hint,
                at=self.node.character_at(problem.at + self.offset, self.attribute),
            )
            for problem in problems.problems
        )
