"""Events that a run reports to its observers.

Rules: an observer is any ``Callable[[Event], None]``. Events of steps are created only if there are observers.
Durations are seconds of the event loop's clock. The engine imports this module in the functions that create events,
because the creation of its data classes takes 2 % of the time in which a command starts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from taskrun.source import Location


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run has started. ``flow`` is the task's name, ``file`` its file, ``parent`` the path of the calling step."""

    run_id: str
    flow: str
    file: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class RunFinished:
    """A run has ended or is suspended. ``status`` is its state, ``seconds`` its duration, ``error`` its failure."""

    run_id: str
    flow: str
    status: str
    seconds: float
    error: str | None = None


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step has started: its conditions are true, its inputs are evaluated next."""

    run_id: str
    path: str
    tag: str
    location: Location


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step has ended. ``status`` is SUCCEEDED, FAILED, CANCELLED or TIMED_OUT, ``error`` the text of the failure."""

    run_id: str
    path: str
    tag: str
    status: str
    seconds: float
    location: Location
    error: str | None = None
    recorded: bool = False
    """Whether the step has the attribute ``recordMetrics``."""


@dataclass(frozen=True, slots=True)
class StepSkipped:
    """A step was skipped. ``reason`` names the condition or flag that caused it."""

    run_id: str
    path: str
    reason: str
    location: Location


@dataclass(frozen=True, slots=True)
class StepRetried:
    """An attempt of a step failed, and the next one follows after ``delay`` seconds. ``attempt`` is the failed one."""

    run_id: str
    path: str
    attempt: int
    delay: float
    error: str
    location: Location


@dataclass(frozen=True, slots=True)
class FailureIgnored:
    """A step with ``allowFailure`` failed; the run continues."""

    run_id: str
    path: str
    error: str
    location: Location


@dataclass(frozen=True, slots=True)
class ValueDumped:
    """The value of an input or output with the attribute ``dump``. ``kind`` is ``input`` or ``output``."""

    run_id: str
    path: str
    kind: str
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class StepOutput:
    """A line of output of a step's child process, without the line end. ``stream`` is ``stdout`` or ``stderr``."""

    run_id: str
    path: str
    stream: str
    text: str


@dataclass(frozen=True, slots=True)
class StepReverted:
    """A step was compensated. ``status`` is REVERTED, or REVERT_FAILED if its compensation failed."""

    run_id: str
    path: str
    status: str
    seconds: float
    location: Location
    error: str | None = None


@dataclass(frozen=True, slots=True)
class StepProgress:
    """A step reports its progress. ``fraction`` is from 0 to 1, ``text`` a comment or empty."""

    run_id: str
    path: str
    fraction: float
    text: str


Event: TypeAlias = (
    RunStarted
    | RunFinished
    | StepStarted
    | StepFinished
    | StepSkipped
    | StepRetried
    | StepReverted
    | StepOutput
    | StepProgress
    | FailureIgnored
    | ValueDumped
)
Observer: TypeAlias = Callable[[Event], None]


def as_mapping(event: Event) -> Mapping[str, Any]:
    """Return an event as a mapping for JSON: its class name as ``event``, its location as ``file:line:column``."""
    values = {name: getattr(event, name) for name in event.__slots__}
    return {
        "event": type(event).__name__,
        **{name: str(value) if isinstance(value, Location) else value for name, value in values.items()},
    }
