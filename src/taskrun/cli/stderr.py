"""Standard error: messages and reports of problems."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable

from taskrun.errors import Diagnostic, RevertError, StepError
from taskrun.source import Location, Source


def report(text: str) -> None:
    """Write a text and a newline to standard error."""
    try:
        print(text, file=sys.stderr, flush=True)
    except BrokenPipeError:
        sys.stderr = None  # the reader has closed the pipe: later messages must not fail either


def report_problems(problems: Iterable[Diagnostic]) -> None:
    """Write the problems of a file to standard error, each on a line, then the number of errors."""
    problems = tuple(problems)
    for problem in problems:
        report(str(problem))
    errors = sum(problem.severity == "error" for problem in problems)
    if errors:
        report(f"taskrun: {errors} error{'s' if errors > 1 else ''}")


def report_step_error(error: StepError, *, verbose: bool = False) -> None:
    """Write the location, cause and notes of a failed step to standard error, with ``verbose`` also its traceback."""
    cause = error.__cause__ or error
    text = f"{error.path}: {type(cause).__name__}: {cause}"
    problem = Diagnostic(location=error.location, code="step-failed", message=text, line=_read_line(error.location))
    report(str(problem))
    for note in getattr(cause, "__notes__", ()):
        report(f"    {note}")
    for problem_of_revert in cause.exceptions[1:] if isinstance(cause, RevertError) else ():
        report(f"    not undone: {type(problem_of_revert).__name__}: {problem_of_revert}")
        for note in getattr(problem_of_revert, "__notes__", ()):
            report(f"        {note}")
    inner = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    if inner is not None:
        report(f"    from {type(inner).__name__}: {inner}")
    if verbose:
        report("".join(traceback.format_exception(cause)).rstrip())


def _read_line(location: Location) -> str:
    """Return the line of the file at a location, to be shown with an error; ``""`` if the file cannot be read."""
    try:
        with open(location.path, encoding="utf-8", errors="replace", newline="") as file:  # noqa: PTH123 - newline
            return Source(location.path, file.read()).line(location.line)
    except OSError:
        return ""
