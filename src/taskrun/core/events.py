"""What a run tells those who watch it: frozen records, handed to functions.

Rules: an observer is any ``Callable[[Event], None]``; the core knows no logger and no progress bar. Events of steps
are made only when somebody watches. Times are seconds of the event loop's clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from taskrun.source import Location


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run begins. ``flow`` is the task's name, ``file`` its file, ``parent`` the step path of a calling task."""

    run_id: str
    flow: str
    file: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class RunFinished:
    """A run has ended; ``status`` is the name of its last state, ``seconds`` how long it took."""

    run_id: str
    flow: str
    status: str
    seconds: float
    error: str | None = None


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step begins its work: its condition held and it is about to bind its inputs."""

    run_id: str
    path: str
    tag: str
    location: Location


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step has ended; ``status`` is SUCCEEDED, FAILED, CANCELLED or TIMED_OUT, ``error`` the failure's text."""

    run_id: str
    path: str
    tag: str
    status: str
    seconds: float
    location: Location
    error: str | None = None
    recorded: bool = False
    """Whether the step asked to be measured (``recordMetrics``)."""


@dataclass(frozen=True, slots=True)
class StepSkipped:
    """A step was left out; ``reason`` says which condition or flag decided it."""

    run_id: str
    path: str
    reason: str
    location: Location


@dataclass(frozen=True, slots=True)
class StepRetried:
    """An attempt failed and another one follows after ``delay`` seconds; ``attempt`` counts the failed ones from 1."""

    run_id: str
    path: str
    attempt: int
    delay: float
    error: str
    location: Location


@dataclass(frozen=True, slots=True)
class FailureIgnored:
    """A step with ``allowFailure`` failed; the flow goes on."""

    run_id: str
    path: str
    error: str
    location: Location


@dataclass(frozen=True, slots=True)
class ValueDumped:
    """The value of an input or output that carries ``dump``."""

    run_id: str
    path: str
    kind: str
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class StepOutput:
    """A line of text that a step's process wrote, without its end; ``stream`` is ``stdout`` or ``stderr``."""

    run_id: str
    path: str
    stream: str
    text: str


@dataclass(frozen=True, slots=True)
class StepReverted:
    """A step was undone; ``status`` is REVERTED or REVERT_FAILED."""

    run_id: str
    path: str
    status: str
    seconds: float
    location: Location
    error: str | None = None


@dataclass(frozen=True, slots=True)
class StepProgress:
    """A step tells how far it is: ``fraction`` goes from 0 to 1, ``text`` says more (perhaps nothing)."""

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
    """Return the event as a mapping fit for JSON, its kind under ``event`` and its place as ``file:line:column``."""
    values = {name: getattr(event, name) for name in event.__slots__}
    return {
        "event": type(event).__name__,
        **{name: str(value) if isinstance(value, Location) else value for name, value in values.items()},
    }
