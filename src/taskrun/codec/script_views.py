"""Codecs for the objects that scripts see of finished steps: STEP_RESULTS, its members, and error beans."""

from __future__ import annotations

from typing import Any

from taskrun.codec.codec import Codec
from taskrun.core.completion import Completion
from taskrun.core.script_views import ErrorBean, StepResult, StepResults

_BEAN = tuple(ErrorBean.__slots__)


def _bean_from(parts: dict[str, Any]) -> ErrorBean:
    """Create an error bean from its attributes."""
    bean = ErrorBean.__new__(ErrorBean)
    for name in _BEAN:
        setattr(bean, name, parts[name])
    return bean


def _result_to(result: StepResult) -> dict[str, Any]:
    """Return the parts of a step result."""
    return {
        "name": result.stepName,
        "outputs": dict(result.outputs),
        "error": result.error,
        "next": result.nextStepName,
    }


def _result_from(parts: dict[str, Any]) -> StepResult:
    """Create a step result from its parts."""
    result = StepResult(parts["name"], Completion(parts["outputs"]))
    result.error = parts["error"]
    result.nextStepName = parts["next"]
    return result


def _results_from(parts: list[StepResult]) -> StepResults:
    """Create STEP_RESULTS from its members."""
    results = StepResults()
    for part in parts:
        results.add(part)
    return results


RESULT_CODECS = (
    Codec("taskrun.error", ErrorBean, lambda bean: {name: getattr(bean, name) for name in _BEAN}, _bean_from),
    Codec("taskrun.step-result", StepResult, _result_to, _result_from),
    Codec("taskrun.step-results", StepResults, lambda results: list(results.values()), _results_from),
)
"""The codecs that every recorder includes."""
