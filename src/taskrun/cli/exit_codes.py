"""Say on standard error what went wrong, and which exit status that is.

Rules: what the author of a flow or its caller can mend is told in their terms, never with a Python traceback, unless
``-v`` asks for it.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterable

from taskrun.errors import (
    Diagnostic,
    FlowError,
    InputError,
    PluginError,
    RevertError,
    RunCancelled,
    StepError,
    TaskrunError,
)
from taskrun.source import Location, Source

CANCELLED = 130


def say(text: str) -> None:
    """Write a line to standard error."""
    try:
        print(text, file=sys.stderr, flush=True)
    except BrokenPipeError:
        sys.stderr = None  # nobody listens


def guarded(command: Callable[[], int], *, verbose: bool = False) -> int:
    """Run a command and return its exit status, or that of the failure that it raises."""
    try:
        return command()
    except KeyboardInterrupt:
        say("taskrun: cancelled")
        return CANCELLED
    except RunCancelled:
        say("taskrun: cancelled")
        return CANCELLED
    except FlowError as error:
        say_problems(error.diagnostics)
    except InputError as error:
        say("taskrun: error: wrong inputs\n" + "\n".join(f"    {problem}" for problem in error.problems))
    except StepError as error:
        say_step_error(error, verbose=verbose)
        return PluginError.exit_status if isinstance(error.__cause__, PluginError) else error.exit_status
    except TaskrunError as error:
        say(f"taskrun: error: {error}")
        for note in getattr(error, "__notes__", ()):
            say(f"    hint: {note}")
        return error.exit_status
    return FlowError.exit_status


def say_problems(problems: Iterable[Diagnostic]) -> None:
    """Write the problems of a file, and how many errors they are."""
    problems = tuple(problems)
    for problem in problems:
        say(str(problem))
    errors = sum(problem.severity == "error" for problem in problems)
    if errors:
        say(f"taskrun: {errors} error{'s' if errors > 1 else ''}")


def say_step_error(error: StepError, *, verbose: bool = False) -> None:
    """Write where the step failed, why, and through which steps and scripts the failure came."""
    cause = error.__cause__ or error
    text = f"{error.path}: {type(cause).__name__}: {cause}"
    problem = Diagnostic(location=error.location, code="step-failed", message=text, line=source_line(error.location))
    say(str(problem))
    for note in getattr(cause, "__notes__", ()):
        say(f"    {note}")
    for left in cause.exceptions[1:] if isinstance(cause, RevertError) else ():
        say(f"    not undone: {type(left).__name__}: {left}")
        for note in getattr(left, "__notes__", ()):
            say(f"        {note}")
    inner = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    if inner is not None:
        say(f"    from {type(inner).__name__}: {inner}")
    if verbose:
        say("".join(traceback.format_exception(cause)).rstrip())


def source_line(location: Location) -> str:
    """Return the line of a file that a location is in, ``""`` when it cannot be read."""
    try:
        with open(location.path, encoding="utf-8", errors="replace", newline="") as file:  # noqa: PTH123 - newline
            return Source(location.path, file.read()).line(location.line)
    except OSError:
        return ""
