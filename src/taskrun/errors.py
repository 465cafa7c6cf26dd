"""Exceptions of taskrun, and diagnostics: problems in a file with their location.

    TaskrunError
     +- FlowError      exit 2   a file is wrong; carries all its problems as Diagnostics
     |   +- XmlError  ExtendError  SchemaError  BindError  AnalysisError
     +- InputError     exit 2   the inputs of a run are wrong; carries all problems
     +- RunError       exit 1   a run failed
     |   +- StepError(path, location)    raised by a failed run, from the original exception
     |   +- StepTimeout  ThrottleTimeout  RateLimitTimeout
     |   +- RunCancelled   exit 130
     |   +- RevertError                  also an ExceptionGroup: the failure, and the failures of its rollback
     |   +- DecisionChangedError         a resumed run decides otherwise than it recorded
     |   +- ShellError(exitCode, stdout, stderr)
     |   +- RecordedError(kind)          stands for a recorded exception whose class is not available
     |   +- ChangedInputError            a step modified its input in place
     |   +- UnsavableValueError(path)    a value cannot be recorded
     +- StoreError     exit 3   a store cannot be opened, written or read
     |   +- UnknownRunError  RunOwnedError  FencedError  TransitionError
     +- PluginError    exit 3   a bean, function or package that a flow or a setting names is not available

Other modules add subclasses: ImportNotAllowedError is a PluginError, ScriptBudgetError is a TaskrunError. This module may
import only ``source`` of taskrun. It has more than 300 lines, because the exceptions are easier to find in one module.
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
    """One problem of a file: location, stable code, message, source line, hint and severity."""

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
    """Base class of all exceptions of taskrun; ``exit_status`` is that of the command line."""

    exit_status = 1


class FlowError(TaskrunError):
    """A file of a flow is wrong; ``diagnostics`` has all its problems, in the order of the file."""

    exit_status = 2

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)
        super().__init__("\n".join(map(str, self.diagnostics)))


class XmlError(FlowError):
    """A file is not valid XML (without DTD), YAML or JSON: it is malformed, too large or nested too deep."""


class ExtendError(FlowError):
    """A file cannot be merged with the files that it extends."""


class SchemaError(FlowError):
    """A file has elements, attributes or values that the schema of the language does not allow."""


class BindError(FlowError):
    """An attribute, a script or a step type of a file cannot be bound to a step object."""


class AnalysisError(FlowError):
    """A valid file cannot work when it runs: a jump to a missing step, an unknown variable, a cycle."""


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
    """Inputs of a run, or of a step, are wrong; ``problems`` has one line for each of them."""

    exit_status = 2

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems: tuple[str, ...] = tuple(problems)
        super().__init__("\n".join(self.problems))


class PluginError(TaskrunError):
    """A bean, a function, a package or another external part is missing or cannot be loaded."""

    exit_status = 3


class StoreError(TaskrunError):
    """A store cannot be opened, written or read; earlier commits are safe.

    ``problem`` describes the problem and its place, ``hint`` a remedy.
    """

    exit_status = 3

    def __init__(self, problem: str, hint: str = "") -> None:
        self.problem = problem
        self.hint = hint
        super().__init__(problem + (f"\n    hint: {hint}" if hint else ""))


class UnknownRunError(StoreError):
    """The store has no run with the given id."""


class RunOwnedError(StoreError):
    """Another live process owns the run; the message names it."""


class FencedError(StoreError):
    """A write was refused, because another process has claimed or deleted the run since the writer claimed it."""


class TransitionError(StoreError):
    """A run cannot change from its current state to the requested one."""


class RunError(TaskrunError):
    """A run failed."""


class StepError(RunError):
    """A step failed and no handler of the flow stopped the failure; raised from the original exception.

    ``path`` is the path of the step such as ``main/loop[2]/call``, ``location`` its location in the file, ``status`` the
    state of the run: FAILED, TIMED_OUT, REVERTED or REVERT_FAILED.
    """

    def __init__(self, message: str, path: str, location: Location, status: str = "FAILED") -> None:
        super().__init__(message)
        self.path = path
        self.location = location
        self.status = status


class StepTimeout(RunError, TimeoutError):
    """A step did not finish within its ``timeout``; handlers treat this like every other failure."""

    error_code = "nop.err.task.step-timeout"


class ThrottleTimeout(RunError, TimeoutError):
    """A step waited longer than ``maxWait`` for a permit of its ``<throttle>``."""

    error_code = "nop.err.task.throttle-timeout"


class RateLimitTimeout(RunError, TimeoutError):
    """The ``<rate-limit>`` of a step would have delayed it longer than ``maxWait``."""

    error_code = "nop.err.task.request-rate-exceed-limit"


class RunCancelled(RunError):
    """The run was cancelled: by its caller, a script or a signal."""

    error_code = "nop.err.task.cancelled"
    exit_status = 130


class RevertError(ExceptionGroup[Exception], RunError):
    """A rollback failed: ``exceptions`` are the failure that started it, then the failures of compensations.

    No handler of a flow can stop it, because a person has to check the steps that were not undone.
    """

    error_code = "taskrun.err.revert-failed"

    @classmethod
    def of(cls, failure: Exception, problems: Sequence[Exception]) -> RevertError:
        """Return the error for a failed rollback after ``failure``, merging ``failure`` if it is a RevertError itself."""
        if isinstance(failure, RevertError):
            failure, *earlier = failure.exceptions
            problems = [*earlier, *problems]
        steps = "1 step" if len(problems) == 1 else f"{len(problems)} steps"
        return cls(f"{steps} could not be undone after {type(failure).__name__}: {failure}", [failure, *problems])

    def derive(self, excs: Sequence[Exception]) -> RevertError:  # type: ignore[override]
        """Return a RevertError with other exceptions, as ``ExceptionGroup.split`` requires."""
        return RevertError(self.message, excs)


class DecisionChangedError(RunError):
    """A resumed run made another decision than the recorded one, because its flow has changed."""

    def __init__(self, key: str, before: object, because: str, after: object, now_because: str) -> None:
        super().__init__(
            f"{key} was {before!r} when the run began ({' '.join(because.split())}) and would be {after!r} now "
            f"({' '.join(now_because.split())}): the steps recorded since then do not fit this flow. Resume the run with "
            "its original flow, or start a new run with 'taskrun rerun'"
        )


class ShellError(RunError):
    """The script of a ``<script lang="shell">``, or a program of ``sh:Run``, failed or could not be started.

    ``exitCode`` is its exit status, the negative number of the signal that ended it, or None if it was not started or
    was stopped. ``stdout`` and ``stderr`` are its output.
    """

    error_code = "nop.err.task.shell-failed"

    def __init__(self, message: str, exit_code: int | None = None, stdout: str = "", stderr: str = "") -> None:
        super().__init__(message)
        self.exitCode = exit_code
        self.stdout = stdout
        self.stderr = stderr

    @property
    def params(self) -> dict[str, object]:
        """Values that handlers of a flow read as ``ERROR.params``."""
        return {"exitCode": self.exitCode, "stdout": self.stdout, "stderr": self.stderr}


class RecordedError(RunError):
    """Replacement of a recorded exception whose class is missing or cannot be constructed from the record.

    The text is that of the original exception, ``kind`` its module and class. ``error_code``, ``params``, ``biz_fatal``
    and ``status`` are those of the original if they were recorded; the default code is the name of the class.
    ``exceptions`` are the members of an exception group, ``record`` is the record that this was created from.
    """

    def __init__(
        self, message: str, kind: str = "", exceptions: Iterable[Exception] = (), record: object = None
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.exceptions: tuple[Exception, ...] = tuple(exceptions)
        self.record = record
        self.error_code: str = kind.rpartition(".")[2]
        self.params: Mapping[str, object] = {}
        self.biz_fatal = False
        self.status: object = None


class ChangedInputError(RunError):
    """A step modified a value of its inputs in place; reported only with ``TaskManager(check_mutation=True)``."""

    error_code = "taskrun.err.changed-input"

    def __init__(self, path: str, names: Sequence[str]) -> None:
        listed = " and ".join(f"'{name}'" for name in names)
        super().__init__(f"step {path} changed its input{'s' * (len(names) > 1)} {listed} in place; return a new value")


class UnsavableValueError(RunError):
    """A value cannot be recorded; ``path`` is the position of the problem in it, such as ``['items'][3].owner``."""

    error_code = "taskrun.err.unsavable-value"

    def __init__(self, problem: str, path: str = "") -> None:
        self.problem = problem
        self.path = path
        super().__init__(f"{path}: {problem}" if path else problem)


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Return the word of ``words`` that is most similar to ``word``, or None if none is similar.

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
    """Return ``did you mean 'x'?`` for the most similar word, ``""`` if none is similar."""
    found = nearest(word, words)
    return f"did you mean '{found}'?" if found else ""
