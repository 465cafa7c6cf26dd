"""Problems of the text of a script, before their locations in the file are known.

Rules: the position of a problem is an index into the script text; ``ScriptSource.error`` converts it to a location.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

SYNTAX = "script-syntax"
UNSUPPORTED = "script-unsupported"
FORBIDDEN = "script-forbidden"


class Problem(NamedTuple):
    """One problem of a script text.

    ``at`` is its index in the text (from 0), ``code`` the code of the diagnostic, such as ``script-syntax``. ``hint``
    says how to avoid it.
    """

    at: int
    code: str
    message: str
    hint: str = ""


class ProblemsError(Exception):
    """Error that carries all problems of a script text.

    It never leaves this package: ``ScriptSource.error`` converts it to a BindError, which has locations in the file.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(problems))
        super().__init__("; ".join(problem.message for problem in self.problems))
