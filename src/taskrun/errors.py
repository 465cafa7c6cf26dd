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
    """One problem of a file: where it is, a stable code, a message, the line of the file, a hint and the severity."""

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
    """Base class of all exceptions of taskrun; ``exit_status`` is the exit status of the command ``taskrun``."""

    exit_status = 1


class FlowError(TaskrunError):
    """A file of a flow is wrong; ``diagnostics`` are its problems, in the order of the file."""

    exit_status = 2

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)
        super().__init__("\n".join(map(str, self.diagnostics)))


class XmlError(FlowError):
    """A file is not valid XML, YAML or JSON, contains a DTD, is too large, or is nested too deep."""


class ExtendError(FlowError):
    """A file cannot be merged with its base or its deltas, for example because its base does not exist."""


class SchemaError(FlowError):
    """A file has elements, attributes or values that the schema of flow files does not allow."""


class BindError(FlowError):
    """A step object cannot be made from an element: a wrong attribute value, a wrong script, an unknown step type."""


class AnalysisError(FlowError):
    """A file is valid, but its flow cannot work: a jump to a missing step, an unknown variable, a cycle of calls."""


def raise_errors(problems: Iterable[Diagnostic], error_class: type[FlowError]) -> tuple[Diagnostic, ...]:
    """Raise an exception of the class ``error_class`` with all errors among the problems.

    If none of them is an error, return the warnings and notes, each once, in the order of the file.
    """
    found = sorted(dict.fromkeys(problems), key=lambda problem: problem.location)
    errors = [problem for problem in found if problem.severity == "error"]
    if errors:
        raise error_class(errors)
    return tuple(found)


class InputError(TaskrunError):
    """Inputs of a run or of a step are wrong; ``problems`` are texts, one for each problem."""

    exit_status = 2

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems: tuple[str, ...] = tuple(problems)
        super().__init__("\n".join(self.problems))


class PluginError(TaskrunError):
    """A bean, function, package or entry point that a flow or a setting names is missing or cannot be loaded."""

    exit_status = 3


class StoreError(TaskrunError):
    """A store cannot be opened, written or read; what was committed before is safe.

    ``problem`` says what is wrong and where, ``hint`` what can be done about it.
    """

    exit_status = 3

    def __init__(self, problem: str, hint: str = "") -> None:
        self.problem = problem
        self.hint = hint
        super().__init__(problem + (f"\n    hint: {hint}" if hint else ""))


class UnknownRunError(StoreError):
    """The store has no run with the requested id."""


class RunOwnedError(StoreError):
    """The run cannot be resumed or changed, because another live process executes it; the message names the process."""


class FencedError(StoreError):
    """A write to a run was refused, because another process has since claimed or deleted the run.

    This protects the records: two processes never write to one run.
    """


class TransitionError(StoreError):
    """A run cannot change from its current state to the requested one, such as from SUCCEEDED to RUNNING."""


class RunError(TaskrunError):
    """A run failed; base class of the exceptions that say how."""


class StepError(RunError):
    """A run failed, because no handler of the flow has stopped the failure of a step.

    ``__cause__`` is the original exception. ``path`` is the path of the step such as ``main/loop[2]/call``,
    ``location`` its location in the file. ``status`` is the state of the run: FAILED, TIMED_OUT, REVERTED or
    REVERT_FAILED.
    """

    def __init__(self, message: str, path: str, location: Location, status: str = "FAILED") -> None:
        super().__init__(message)
        self.path = path
        self.location = location
        self.status = status


class StepTimeout(RunError, TimeoutError):
    """A step did not end within its ``timeout``; handlers of the flow can stop this failure like any other."""

    error_code = "nop.err.task.step-timeout"


class ThrottleTimeout(RunError, TimeoutError):
    """A step got no permit of its ``<throttle>`` within ``maxWait``, because too many other steps hold one."""

    error_code = "nop.err.task.throttle-timeout"


class RateLimitTimeout(RunError, TimeoutError):
    """A step would have had to wait longer than ``maxWait`` for its ``<rate-limit>``; it fails without waiting."""

    error_code = "nop.err.task.request-rate-exceed-limit"


class RunCancelled(RunError):
    """The run was cancelled by its caller, by a script, or by a signal of the operating system."""

    error_code = "nop.err.task.cancelled"
    exit_status = 130


class RevertError(ExceptionGroup[Exception], RunError):
    """A rollback failed, so that some steps are not undone; a person has to check them.

    ``exceptions`` are the failure that started the rollback, then the failures of compensations. No handler of a flow
    can stop this error.
    """

    error_code = "taskrun.err.revert-failed"

    @classmethod
    def of(cls, failure: Exception, problems: Sequence[Exception]) -> RevertError:
        """Return the error for a rollback because of ``failure``, in which the compensations failed with ``problems``.

        If ``failure`` is itself a RevertError of an inner container, its members are taken over instead of nesting the
        two.
        """
        if isinstance(failure, RevertError):
            failure, *earlier = failure.exceptions
            problems = [*earlier, *problems]
        steps = "1 step" if len(problems) == 1 else f"{len(problems)} steps"
        return cls(f"{steps} could not be undone after {type(failure).__name__}: {failure}", [failure, *problems])

    def derive(self, excs: Sequence[Exception]) -> RevertError:  # type: ignore[override]
        """Return a RevertError with other members; ``ExceptionGroup.split`` needs this method."""
        return RevertError(self.message, excs)


class DecisionChangedError(RunError):
    """A resumed run would decide otherwise than it did before, because its flow has changed.

    The records that follow the decision do not fit the changed flow.
    """

    def __init__(self, key: str, before: object, because: str, after: object, now_because: str) -> None:
        super().__init__(
            f"{key} was {before!r} when the run began ({' '.join(because.split())}) and would be {after!r} now "
            f"({' '.join(now_because.split())}): the steps recorded since then do not fit this flow. Resume the run with "
            "its original flow, or start a new run with 'taskrun rerun'"
        )


class ShellError(RunError):
    """A shell script (``<script lang="shell">``) or a program (tag ``sh:Run``) failed or could not be started.

    ``exitCode`` is its exit status. It is negative if a signal ended the program, and None if the program was not
    started or was stopped. ``stdout`` and ``stderr`` are its output.
    """

    error_code = "nop.err.task.shell-failed"

    def __init__(self, message: str, exit_code: int | None = None, stdout: str = "", stderr: str = "") -> None:
        super().__init__(message)
        self.exitCode = exit_code
        self.stdout = stdout
        self.stderr = stderr

    @property
    def params(self) -> dict[str, object]:
        """The values that scripts of a flow read as ``ERROR.params``: ``exitCode``, ``stdout`` and ``stderr``."""
        return {"exitCode": self.exitCode, "stdout": self.stdout, "stderr": self.stderr}


class RecordedError(RunError):
    """Stands for a recorded exception whose class is missing or cannot be created from the record.

    Its text is that of the original exception, ``kind`` the class of the original with its module. ``error_code``,
    ``params``, ``biz_fatal`` and ``status`` are those of the original, if they were recorded; without a code, it is the
    name of the class. ``exceptions`` are the members of an exception group, ``record`` is the record itself.
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
    """A step changed a value of its inputs in place; this is checked only with ``TaskManager(check_mutation=True)``."""

    error_code = "taskrun.err.changed-input"

    def __init__(self, path: str, names: Sequence[str]) -> None:
        listed = " and ".join(f"'{name}'" for name in names)
        super().__init__(f"step {path} changed its input{'s' * (len(names) > 1)} {listed} in place; return a new value")


class UnsavableValueError(RunError):
    """A value cannot be recorded; ``path`` says where in it the problem is, such as ``['items'][3].owner``."""

    error_code = "taskrun.err.unsavable-value"

    def __init__(self, problem: str, path: str = "") -> None:
        self.problem = problem
        self.path = path
        super().__init__(f"{path}: {problem}" if path else problem)


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Return the one of ``words`` that is most similar to ``word``, None if none is similar.

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
    """Return the hint ``did you mean 'x'?`` with the most similar of ``words``, "" if none is similar to ``word``."""
    found = nearest(word, words)
    return f"did you mean '{found}'?" if found else ""
