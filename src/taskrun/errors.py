"""What can go wrong, as a tree of exceptions, and what a problem in a file looks like.

    TaskrunError
     +- FlowError      exit 2   the file is wrong; carries every problem found as a Diagnostic
     |   +- XmlError  ExtendError  SchemaError  BindError  AnalysisError
     +- InputError     exit 2   the caller's inputs are wrong (all of them at once)
     +- RunError       exit 1
     |   +- StepError(path, location)     what a failed run raises, from the original exception
     |   +- StepTimeout  ThrottleTimeout  RateLimitTimeout  RunCancelled  UnsavableValueError
     |   +- ShellError(exitCode, stdout, stderr)
     |   +- RevertError                     also an ExceptionGroup: the failure, then what undoing raised
     |   +- DecisionChangedError                 the flow of a resumed run does not fit what was recorded
     |   +- RecordedError(kind)          stands for an exception that is known from a record only
     +- StoreError     exit 3   what a run has done cannot be written down or read
     |   +- UnknownRunError  RunOwnedError  FencedError  TransitionError
     +- PluginError    exit 3   something that a flow or a setting names cannot be had

Do not import any other taskrun module here but ``source``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from taskrun.source import Location, snippet

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One problem in a file: its place, a stable code, a message, the source line and a hint."""

    location: Location
    code: str
    message: str
    hint: str = ""
    line: str = ""
    severity: Severity = "error"

    def __str__(self) -> str:
        text = f"{self.location}: {self.severity}[{self.code}]: {self.message}"
        if self.line:
            text += "\n" + snippet(self.line, self.location.column)
        if self.hint:
            text += f"\n    hint: {self.hint}"
        return text


class TaskrunError(Exception):
    """The base of everything that taskrun itself raises."""

    exit_status = 1


class FlowError(TaskrunError):
    """A flow's file is wrong. ``diagnostics`` holds every problem found, in the order of the file."""

    exit_status = 2

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(map(str, self.diagnostics)))


class XmlError(FlowError):
    """A file is not the well-formed, bounded XML without DTD, YAML or JSON that a flow has to be."""


class ExtendError(FlowError):
    """A file cannot be put together from what it extends."""


class SchemaError(FlowError):
    """A file says something that the schema of the language does not allow."""


class BindError(FlowError):
    """An attribute, a script or a step type of a file cannot be understood."""


class AnalysisError(FlowError):
    """A file is well written but cannot work: a jump to nowhere, an unknown variable, a cycle."""


def raise_errors(problems: Iterable[Diagnostic], error_class: type[FlowError]) -> tuple[Diagnostic, ...]:
    """Raise ``error_class`` with the errors among the problems; return the problems when none of them is an error.

    Both are in the order of the file, each problem once.
    """
    found = sorted(dict.fromkeys(problems), key=lambda problem: problem.location)
    errors = [problem for problem in found if problem.severity == "error"]
    if errors:
        raise error_class(errors)
    return tuple(found)


class InputError(TaskrunError):
    """The inputs given to a run, or to a step, are wrong. ``problems`` has a line for each of them."""

    exit_status = 2

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class PluginError(TaskrunError):
    """A bean, a function, a package or another part from outside cannot be had."""

    exit_status = 3


class StoreError(TaskrunError):
    """A store cannot be opened, written or read; nothing that was committed before is lost.

    ``problem`` says what is wrong and where, ``hint`` what to do about it.
    """

    exit_status = 3

    def __init__(self, problem: str, hint: str = "") -> None:
        self.problem = problem
        self.hint = hint
        super().__init__(problem + (f"\n    hint: {hint}" if hint else ""))


class UnknownRunError(StoreError):
    """The store has no run of that id."""


class RunOwnedError(StoreError):
    """Somebody else works on the run, and lives; the message says who."""


class FencedError(StoreError):
    """A write came too late: the run has been taken over, or removed, since the writer claimed it."""


class TransitionError(StoreError):
    """A run cannot go from the state that it is in to the one asked for."""


class RunError(TaskrunError):
    """A run failed."""


class StepError(RunError):
    """A step failed and nothing in the flow handled it; raised from the original exception.

    ``path`` is the step's path such as ``main/loop[2]/call``, ``location`` its place in the file, ``status`` the run's
    state: FAILED or TIMED_OUT.
    """

    def __init__(self, message: str, path: str, location: Location, status: str = "FAILED") -> None:
        super().__init__(message)
        self.path = path
        self.location = location
        self.status = status


class StepTimeout(RunError, TimeoutError):
    """A step did not finish within its ``timeout``; an ordinary failure to everything outside the step."""

    error_code = "nop.err.task.step-timeout"


class ThrottleTimeout(RunError, TimeoutError):
    """A step waited longer than ``maxWait`` for a permit of its ``<throttle>``."""

    error_code = "nop.err.task.throttle-timeout"


class RateLimitTimeout(RunError, TimeoutError):
    """A step would have had to wait longer than ``maxWait`` for its ``<rate-limit>``."""

    error_code = "nop.err.task.request-rate-exceed-limit"


class RunCancelled(RunError):
    """The run was cancelled from outside."""

    error_code = "nop.err.task.cancelled"
    exit_status = 130


class RevertError(ExceptionGroup[Exception], RunError):
    """Undoing failed: the failure that began it is the first of ``exceptions``, what went wrong in undoing follows.

    The flow cannot hold it: what was not undone has to be looked at by somebody.
    """

    error_code = "taskrun.err.revert-failed"

    @classmethod
    def of(cls, failure: Exception, problems: Sequence[Exception]) -> RevertError:
        """Return the error about undoing after ``failure``, which may be one of this class itself."""
        if isinstance(failure, RevertError):
            failure, *earlier = failure.exceptions
            problems = [*earlier, *problems]
        steps = "1 step" if len(problems) == 1 else f"{len(problems)} steps"
        return cls(f"{steps} could not be undone after {type(failure).__name__}: {failure}", [failure, *problems])

    def derive(self, excs: Sequence[Exception]) -> RevertError:  # type: ignore[override]
        """Return a group of the same kind with some of the exceptions."""
        return RevertError(self.message, excs)


class DecisionChangedError(RunError):
    """A run is resumed with another flow, which decides otherwise than the run already has."""

    def __init__(self, key: str, before: object, because: str, after: object, now_because: str) -> None:
        super().__init__(
            f"{key} was {before!r} when the run began ({' '.join(because.split())}) and would be {after!r} now "
            f"({' '.join(now_because.split())}): what was done since does not fit this flow. Resume the run with the "
            "flow that it began with, or start a new one with 'taskrun rerun'"
        )


class ShellError(RunError):
    """The script of a ``<script lang="shell">``, or a program of ``sh:Run``, failed or could not be run.

    ``exitCode`` is its status, negative for the number of the signal that ended it, None when it did not end by
    itself; ``stdout`` and ``stderr`` are what it had written.
    """

    error_code = "nop.err.task.shell-failed"

    def __init__(self, message: str, exit_code: int | None = None, stdout: str = "", stderr: str = "") -> None:
        super().__init__(message)
        self.exitCode = exit_code
        self.stdout = stdout
        self.stderr = stderr

    @property
    def params(self) -> dict[str, object]:
        """What handlers in a flow read as ``ERROR.params``."""
        return {"exitCode": self.exitCode, "stdout": self.stdout, "stderr": self.stderr}


class RecordedError(RunError):
    """A failure that is known from a record only: its class is not there, or cannot be made again from the record.

    Its text is that of the original, whose class with its module is ``kind``. ``error_code``, ``params``, ``biz_fatal``
    and ``status`` are those of the original as far as they were recorded; without a code of its own, the code is the
    name of the class. ``exceptions`` are the members of a group, ``record`` is from what it was made.
    """

    def __init__(
        self, message: str, kind: str = "", exceptions: Iterable[Exception] = (), record: object = None
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.exceptions = tuple(exceptions)
        self.record = record
        self.error_code = kind.rpartition(".")[2]
        self.params: Mapping[str, object] = {}
        self.biz_fatal = False
        self.status: object = None


class ChangedInputError(RunError):
    """A step changed in place what it was given (``TaskManager(check_mutation=True)``)."""

    error_code = "taskrun.err.changed-input"

    def __init__(self, path: str, names: Sequence[str]) -> None:
        listed = " and ".join(f"'{name}'" for name in names)
        super().__init__(f"step {path} changed its input{'s' * (len(names) > 1)} {listed} in place; return a new value")


class UnsavableValueError(RunError):
    """A value cannot be recorded. ``path`` is the place inside it, such as ``['items'][3].owner``."""

    error_code = "taskrun.err.unsavable-value"

    def __init__(self, problem: str, path: str = "") -> None:
        self.problem = problem
        self.path = path
        super().__init__(f"{path}: {problem}" if path else problem)


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Return the word of ``words`` that looks most like ``word``, or None when none comes near.

    >>> nearest("totl", ["total", "count"])
    'total'
    """
    candidates = sorted(words)
    found = difflib.get_close_matches(word, candidates, n=1, cutoff=0.6)
    if found:
        return found[0]
    folded = {candidate.lower(): candidate for candidate in candidates}
    return folded.get(word.lower())


def near_hint(word: str, words: Iterable[str]) -> str:
    """Return ``did you mean 'x'?`` for the nearest word, or ``""``."""
    found = nearest(word, words)
    return f"did you mean '{found}'?" if found else ""
