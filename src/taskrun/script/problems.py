"""What is wrong with the text of a script, before anyone knows in which file it stands.

Rules: a problem's place is an index into the script's text; only the door turns it into a place in a file.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

SYNTAX = "script-syntax"
UNSUPPORTED = "script-unsupported"
FORBIDDEN = "script-forbidden"


class Problem(NamedTuple):
    """One problem: where it stands in the text (from 0), its code, what is wrong and what to write instead."""

    at: int
    code: str
    message: str
    hint: str = ""


class ProblemsError(Exception):
    """A text cannot be compiled, for all these reasons. Never leaves the package."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("; ".join(problem.message for problem in self.problems))
