"""What scripts see of finished steps: ``STEP_RESULTS``, ``aggResults``, and the error bean under ``ERROR``.

    STEP_RESULTS.a.result        aggResults.getSuccessStepResultValues()        ERROR.description

Rules: the names are those of the language, in its spelling. These objects only show; nothing in them leads to the
engine. A result can be read as an attribute or as an item.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from taskrun.core.completion import RESULT, Completion, Signal
from taskrun.script.sandbox.guard import TemplateReadable

if TYPE_CHECKING:
    from taskrun.core.frame import Frame
    from taskrun.core.run import Run


_NEXT = Signal.NEXT


class Shown:
    """A read-only view whose public attributes can be read as items too."""

    __slots__ = ()

    def __getitem__(self, name: str) -> Any:
        if isinstance(name, str) and not name.startswith("_") and hasattr(self, name):
            return getattr(self, name)
        raise KeyError(name)

    def __repr__(self) -> str:
        names: tuple[str, ...] = self.__slots__
        shown = {name: getattr(self, name) for name in names if not name.startswith("_")}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


VIEWS = frozenset({"stepRt", "taskStepRt"})
"""The variables that hold a StepView."""


class StepView(Shown):
    """What a script sees as ``stepRt`` and ``taskStepRt``: where it is and what surrounds it."""

    __slots__ = ("_frame",)

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    @property
    def stepName(self) -> str:
        """The step's name."""
        return self._frame.step.name

    @property
    def stepPath(self) -> str:
        """The step's path, such as ``main/loop[2]/call``."""
        return self._frame.path

    @property
    def taskName(self) -> str:
        """The task's name."""
        return self._frame.run.flow.name

    @property
    def runId(self) -> str:
        """The run's id."""
        return self._frame.run.run_id

    @property
    def attempt(self) -> int:
        """Which attempt of a retry this is, from 1."""
        return self._frame.attempt

    @property
    def flags(self) -> list[str]:
        """The flags that are set for the step."""
        return sorted(self._frame.flags)

    def __repr__(self) -> str:
        return f"StepView({self.stepPath!r})"

    def isCancelled(self) -> bool:
        """Whether the run is being cancelled."""
        return self._frame.run.is_cancelled

    def cancel(self, reason: str = "kill") -> None:
        """Cancel the run."""
        self._frame.run.cancel(reason)


class TaskView(Shown):
    """What a script sees as ``taskRt``: the run."""

    __slots__ = ("_run",)

    def __init__(self, run: Run) -> None:
        self._run = run

    @property
    def taskName(self) -> str:
        """The task's name."""
        return self._run.flow.name

    @property
    def taskVersion(self) -> int:
        """The task's version."""
        return self._run.flow.version

    @property
    def runId(self) -> str:
        """The run's id."""
        return self._run.run_id

    def __repr__(self) -> str:
        return f"TaskView({self.taskName!r})"

    def isCancelled(self) -> bool:
        """Whether the run is being cancelled."""
        return self._run.is_cancelled

    def cancel(self, reason: str = "kill") -> None:
        """Cancel the run."""
        self._run.cancel(reason)


def run_of(view: TaskView) -> Run:
    """Return the run behind a script's ``taskRt``, which scripts never get."""
    return view._run  # noqa: SLF001 - a door for code, not for scripts


class ErrorBean(Shown, TemplateReadable):
    """An error as scripts see it.

    ``errorCode`` is the exception's own ``error_code`` or its class name, ``description`` its text, ``params`` its own
    ``params``, ``sourceLocation`` the place of the step that failed, ``errorStack`` the traceback's text.
    """

    __slots__ = (
        "bizFatal", "cause", "description", "details", "errorCode", "errorStack", "params", "sourceLocation", "status"
    )  # fmt: skip

    def __init__(self, error: BaseException, location: object = None) -> None:
        self.errorCode: str = str(getattr(error, "error_code", None) or type(error).__name__)
        self.description: str = str(error)
        self.params: dict[Any, Any] = dict(getattr(error, "params", None) or {})
        self.status: Any | None = getattr(error, "status", None)
        self.bizFatal: bool = bool(getattr(error, "biz_fatal", False))
        self.sourceLocation: str | None = None if location is None else str(location)
        self.errorStack: str = "".join(traceback.format_exception(error))
        cause = error.__cause__
        self.cause: ErrorBean | None = None if cause is None else ErrorBean(cause)
        inner = getattr(error, "exceptions", ())
        self.details: list[ErrorBean] = [ErrorBean(item) for item in inner]


class StepResult(Shown, TemplateReadable):
    """How one step ended: its outputs, or its error."""

    __slots__ = ("error", "nextStepName", "outputs", "stepName")

    def __init__(self, name: str, outcome: Completion | BaseException, location: object = None) -> None:
        self.stepName: str = name
        self.error: ErrorBean | None = None
        self.nextStepName: str | None = None
        if isinstance(outcome, Completion):
            self.outputs: Mapping[str, Any] = outcome.outputs
            self.nextStepName = outcome.target
            if outcome.signal is not _NEXT:
                self.nextStepName = f"@{outcome.signal.name.lower()}"
        else:
            self.outputs = {}
            self.error = ErrorBean(outcome, location)

    @property
    def result(self) -> Any:
        """The step's RESULT."""
        return self.outputs.get(RESULT)

    def isSuccess(self) -> bool:
        """Whether the step succeeded."""
        return self.error is None

    def getOutput(self, name: str) -> Any:
        """Return an output, None when the step has none of that name."""
        return self.outputs.get(name)


class StepResults(Mapping[str, StepResult], TemplateReadable):
    """The results of several steps by name, in the order of the steps."""

    __slots__ = ("_results",)

    def __init__(self) -> None:
        self._results: dict[str, StepResult] = {}

    def add(self, result: StepResult) -> None:
        """Put in the result of a step."""
        self._results[result.stepName] = result

    def sort(self, order: Mapping[str, int]) -> None:
        """Put the results into the order of the steps."""
        results = self._results
        if list(results) != [name for name in order if name in results]:
            self._results = {
                name: results[name] for name in sorted(results, key=lambda name: order.get(name, len(order)))
            }

    def __getitem__(self, name: str) -> StepResult:
        return self._results[name]

    def __getattr__(self, name: str) -> StepResult:
        if name.startswith("_") or name not in self._results:
            raise AttributeError(f"no step '{name}' has ended here")
        return self._results[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __contains__(self, name: object) -> bool:
        return name in self._results

    def __len__(self) -> int:
        return len(self._results)

    def __repr__(self) -> str:
        return f"StepResults({self._results!r})"

    def size(self) -> int:
        """Return how many steps have a result."""
        return len(self._results)

    def isEmpty(self) -> bool:
        """Whether no step has a result."""
        return not self._results

    def isAllSuccess(self) -> bool:
        """Whether no step failed."""
        return all(result.isSuccess() for result in self._results.values())

    def getStepResultBeanMap(self) -> dict[str, StepResult]:
        """Return the results by step name."""
        return dict(self._results)

    def getStepResultBeans(self) -> list[StepResult]:
        """Return the results."""
        return list(self._results.values())

    def getSuccessStepResultBeans(self) -> list[StepResult]:
        """Return the results of the steps that succeeded."""
        return [result for result in self._results.values() if result.isSuccess()]

    def getFirstSuccessResultBean(self) -> StepResult | None:
        """Return the first result of a step that succeeded, None when all failed."""
        return next(iter(self.getSuccessStepResultBeans()), None)

    def getSuccessStepResultValues(self) -> list[Any]:
        """Return the RESULT of each step that succeeded."""
        return [result.result for result in self.getSuccessStepResultBeans()]

    def getSuccessOutputs(self, name: str) -> list[Any]:
        """Return an output of each step that succeeded."""
        return [result.getOutput(name) for result in self.getSuccessStepResultBeans()]

    def getStepResultBean(self, name: str) -> StepResult | None:
        """Return a step's result, None when it has none."""
        return self._results.get(name)

    def getStepResultValue(self, name: str) -> Any:
        """Return a step's RESULT, None when it has none."""
        result = self._results.get(name)
        return None if result is None else result.result

    def getStepOutput(self, name: str, output: str) -> Any:
        """Return a step's output, None when it has none."""
        result = self._results.get(name)
        return None if result is None else result.getOutput(output)

    def sum(self, name: str) -> Any:
        """Return the sum of an output over the steps that succeeded, leaving nulls out."""
        return sum(value for value in self.getSuccessOutputs(name) if value is not None)

    def count(self, name: str) -> int:
        """Return for how many steps that succeeded an output is not null."""
        return sum(value is not None for value in self.getSuccessOutputs(name))
