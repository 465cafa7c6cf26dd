"""Problems of a script text, independent of the file that contains it.

Rules: the position of a problem is an index into the script text; ``ScriptSource.error`` converts it to a location.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

SYNTAX = "script-syntax"
UNSUPPORTED = "script-unsupported"
FORBIDDEN = "script-forbidden"


class Problem(NamedTuple):
    """One problem of a script text: its index in the text (from 0), code, message and hint."""

    at: int
    code: str
    message: str
    hint: str = ""


class ProblemsError(Exception):
    """Error that carries all problems of a script text. It is caught inside this package and becomes a BindError."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(problems))
        super().__init__("; ".join(problem.message for problem in self.problems))
