"""Text of a script, with the conversion of its character positions to locations in the file.

Rules: problems become diagnostics at the exact character of the file. The location of a failure at run time is computed
only when the failure happens.
"""

from __future__ import annotations

from typing import NamedTuple

from taskrun.errors import BindError
from taskrun.script.problems import ProblemsError
from taskrun.source import Location
from taskrun.syntax.node import Node

NOTE = "in script at "
"""Start of the exception note that gives the location of the script expression that failed."""


class ScriptSource(NamedTuple):
    """Text of a script and its position in a file.

    ``node`` is the element that contains it; ``attribute`` is the attribute that contains it, or None for the element's
    text. ``text`` begins ``offset`` characters behind the start of this attribute or text.
    """

    node: Node
    attribute: str | None
    text: str
    offset: int = 0

    def section(self, start: int, end: int) -> ScriptSource:
        """Return the characters from index ``start`` up to, but without, ``end`` as a new ScriptSource."""
        return ScriptSource(self.node, self.attribute, self.text[start:end], self.offset + start)

    def location(self, index: int) -> Location:
        """Return the location in the file of the character at ``index``."""
        return self.node.character_at(index + self.offset, self.attribute)

    def place(self, index: int) -> str:
        """Return the location of the character at ``index`` for messages, as ``file:line:column: source line``."""
        location = self.location(index)
        return f"{location}: {self.node.source_of(location.path).line(location.line).strip()}"

    def error(self, problems: ProblemsError) -> BindError:
        """Convert the problems of this text to a BindError: one diagnostic per problem, at its location in the file."""
        return BindError(
            self.node.problem(problem.code, problem.message, hint=problem.hint, at=self.location(problem.at))
            for problem in problems.problems
        )
