"""Objects that scripts read: results of steps, errors, the running step and the task.

    STEP_RESULTS.a.result        aggResults.getSuccessStepResultValues()        ERROR.description

Rules: flows use the names of these methods and attributes, so they are in camelCase like all names in flows. The
objects give no access to the engine. An attribute can also be read as an item, ``ERROR["description"]``.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from taskrun.core.completion import RESULT, Completion, Signal
from taskrun.script.sandbox.guard import TemplateReadable

if TYPE_CHECKING:
    from taskrun.core.frame import Frame
    from taskrun.core.run import Run


_NEXT = Signal.NEXT


class ReadOnlyView:
    """Base of the objects for scripts: a public attribute can also be read as an item, ``ERROR["description"]``."""

    __slots__ = ()

    def __getitem__(self, name: str) -> Any:
        """Return the public attribute of that name; raise KeyError if there is none."""
        if isinstance(name, str) and not name.startswith("_") and hasattr(self, name):
            return getattr(self, name)
        raise KeyError(name)

    def __repr__(self) -> str:
        names: tuple[str, ...] = self.__slots__
        shown = {name: getattr(self, name) for name in names if not name.startswith("_")}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


VIEWS = frozenset({"stepRt", "taskStepRt"})
"""The names of the variables whose value is a StepView; both mean the running step."""


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class StepView(ReadOnlyView):
    """Value of the variables ``stepRt`` and ``taskStepRt``: what a script can know about the step that runs it."""

    _frame: Frame

    @property
    def stepName(self) -> str:
        """The name of the step."""
        return self._frame.step.name

    @property
    def stepPath(self) -> str:
        """The path of the step, such as ``main/loop[2]/call``."""
        return self._frame.path

    @property
    def taskName(self) -> str:
        """The name of the task."""
        return self._frame.run.flow.name

    @property
    def runId(self) -> str:
        """The id of the run."""
        return self._frame.run.run_id

    @property
    def attempt(self) -> int:
        """The number of the present attempt of the step, from 1."""
        return self._frame.attempt

    @property
    def flags(self) -> list[str]:
        """The names of the flags that are set for the step, sorted."""
        return sorted(self._frame.flags)

    def __repr__(self) -> str:
        return f"StepView({self.stepPath!r})"

    def isCancelled(self) -> bool:
        """Return whether the run is being cancelled, so that a long script can end early."""
        return self._frame.run.is_cancelled

    def cancel(self, reason: str = "kill") -> None:
        """Cancel the run to which the step belongs; ``reason`` is a text for the error message."""
        self._frame.run.cancel(reason)


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class TaskView(ReadOnlyView):
    """Value of the variable ``taskRt``: what a script can know about the running task."""

    _run: Run

    @property
    def taskName(self) -> str:
        """The name of the task."""
        return self._run.flow.name

    @property
    def taskVersion(self) -> int:
        """The version of the task, from its file; 0 if it has none."""
        return self._run.flow.version

    @property
    def runId(self) -> str:
        """The id of the run."""
        return self._run.run_id

    def __repr__(self) -> str:
        return f"TaskView({self.taskName!r})"

    def isCancelled(self) -> bool:
        """Return whether the run is being cancelled, so that a long script can end early."""
        return self._run.is_cancelled

    def cancel(self, reason: str = "kill") -> None:
        """Cancel the run; ``reason`` is a text for the error message."""
        self._run.cancel(reason)


def run_of(view: TaskView) -> Run:
    """Return the run behind the value of ``taskRt``; for code of the engine, not for scripts."""
    return view._run  # noqa: SLF001 - private, so that scripts cannot read it


class ErrorBean(ReadOnlyView, TemplateReadable):
    """Value of the variable ``ERROR``: an exception, as scripts can read it.

    ``errorCode`` is the exception's attribute ``error_code``, or the name of its class. ``description`` is its text,
    ``params`` its attribute ``params``. ``sourceLocation`` is the location of the step that failed, ``errorStack`` the
    text of the traceback. ``details`` are the members of an exception group.
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


class StepResult(ReadOnlyView, TemplateReadable):
    """The result of one step, as scripts can read it: its outputs, or its error.

    ``nextStepName`` is the step that it jumped to, or its signal, such as ``@end``; None for the following step.
    """

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
        """The output RESULT of the step, None if there is none."""
        return self.outputs.get(RESULT)

    def isSuccess(self) -> bool:
        """Return True if the step succeeded, False if it failed."""
        return self.error is None

    def getOutput(self, name: str) -> Any:
        """Return the output of that name, None if the step has none."""
        return self.outputs.get(name)


class StepResults(Mapping[str, StepResult], TemplateReadable):
    """Value of ``STEP_RESULTS`` and ``aggResults``: the results of several steps by name, in the order of the steps.

    A result is read as ``STEP_RESULTS.a`` or ``STEP_RESULTS["a"]``.
    """

    __slots__ = ("_results",)

    def __init__(self) -> None:
        self._results: dict[str, StepResult] = {}

    def add(self, result: StepResult) -> None:
        """Add the result of a step; it replaces an earlier result of a step of the same name."""
        self._results[result.stepName] = result

    def sort(self, order: Mapping[str, int]) -> None:
        """Sort the results by ``order``, which maps the name of each step to its position in the file."""
        results = self._results
        if list(results) != [name for name in order if name in results]:
            self._results = {
                name: results[name] for name in sorted(results, key=lambda name: order.get(name, len(order)))
            }

    def __getitem__(self, name: str) -> StepResult:
        return self._results[name]

    def __getattr__(self, name: str) -> StepResult:
        """Return the result of the step of that name; raise AttributeError if there is none."""
        if name.startswith("_") or name not in self._results:
            raise AttributeError(
                f"there is no result of a step '{name}'; there are: {', '.join(self._results) or 'none'}"
            )
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
        """Return the number of results."""
        return len(self._results)

    def isEmpty(self) -> bool:
        """Return True if no step has a result."""
        return not self._results

    def isAllSuccess(self) -> bool:
        """Return whether all steps that have a result succeeded."""
        return all(result.isSuccess() for result in self._results.values())

    def getStepResultBeanMap(self) -> dict[str, StepResult]:
        """Return a dict from the name of each step to its result."""
        return dict(self._results)

    def getStepResultBeans(self) -> list[StepResult]:
        """Return the results as a list, in the order of the steps."""
        return list(self._results.values())

    def getSuccessStepResultBeans(self) -> list[StepResult]:
        """Return the results of the steps that succeeded."""
        return [result for result in self._results.values() if result.isSuccess()]

    def getFirstSuccessResultBean(self) -> StepResult | None:
        """Return the result of the first step that succeeded, None if there is none."""
        return next(iter(self.getSuccessStepResultBeans()), None)

    def getSuccessStepResultValues(self) -> list[Any]:
        """Return the output RESULT of each step that succeeded."""
        return [result.result for result in self.getSuccessStepResultBeans()]

    def getSuccessOutputs(self, name: str) -> list[Any]:
        """Return, for each step that succeeded, its output of that name, None if it has none."""
        return [result.getOutput(name) for result in self.getSuccessStepResultBeans()]

    def getStepResultBean(self, name: str) -> StepResult | None:
        """Return the result of the step of that name, None if it has none."""
        return self._results.get(name)

    def getStepResultValue(self, name: str) -> Any:
        """Return the output RESULT of the step of that name, None if it has none."""
        result = self._results.get(name)
        return None if result is None else result.result

    def getStepOutput(self, name: str, output: str) -> Any:
        """Return the output ``output`` of the step ``name``, None if there is no such step or output."""
        result = self._results.get(name)
        return None if result is None else result.getOutput(output)

    def sum(self, name: str) -> Any:
        """Return the sum of the outputs of that name of all steps that succeeded; nulls are ignored."""
        return sum(value for value in self.getSuccessOutputs(name) if value is not None)

    def count(self, name: str) -> int:
        """Return the number of steps that succeeded and have an output of that name that is not null."""
        return sum(value is not None for value in self.getSuccessOutputs(name))
