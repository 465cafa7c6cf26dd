"""Codecs for what scripts see of finished steps: STEP_RESULTS, the result of each step in it, and errors."""

from __future__ import annotations

from typing import Any

from taskrun.codec.codec import Codec
from taskrun.core.completion import Completion
from taskrun.core.script_views import ErrorBean, StepResult, StepResults

_BEAN = tuple(ErrorBean.__slots__)


def _bean_from(parts: dict[str, Any]) -> ErrorBean:
    """Create an ErrorBean (an exception as scripts see it) from its attributes by name."""
    bean = ErrorBean.__new__(ErrorBean)
    for name in _BEAN:
        setattr(bean, name, parts[name])
    return bean


def _result_to(result: StepResult) -> dict[str, Any]:
    """Return what is stored of a StepResult: the step's name, outputs, error, and the step that it jumped to."""
    return {
        "name": result.stepName,
        "outputs": dict(result.outputs),
        "error": result.error,
        "next": result.nextStepName,
    }


def _result_from(parts: dict[str, Any]) -> StepResult:
    """Create a StepResult from the parts that ``_result_to`` returned."""
    result = StepResult(parts["name"], Completion(parts["outputs"]))
    result.error = parts["error"]
    result.nextStepName = parts["next"]
    return result


def _results_from(parts: list[StepResult]) -> StepResults:
    """Create STEP_RESULTS from the results of its steps."""
    results = StepResults()
    for part in parts:
        results.add(part)
    return results


RESULT_CODECS = (
    Codec("taskrun.error", ErrorBean, lambda bean: {name: getattr(bean, name) for name in _BEAN}, _bean_from),
    Codec("taskrun.step-result", StepResult, _result_to, _result_from),
    Codec("taskrun.step-results", StepResults, lambda results: list(results.values()), _results_from),
)
"""The codecs that every run uses besides those of the user."""
