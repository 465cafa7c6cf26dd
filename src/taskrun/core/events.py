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
    """Event: a run has started.

    ``flow`` is the name of the task and ``file`` its file. ``parent`` is the path of the step that called the task,
    None if the run was started from outside.
    """

    run_id: str
    flow: str
    file: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class RunFinished:
    """Event: a run has ended or was suspended.

    ``status`` is the state of the run, ``seconds`` how long it ran, ``error`` the text of its failure, None if it did
    not fail.
    """

    run_id: str
    flow: str
    status: str
    seconds: float
    error: str | None = None


@dataclass(frozen=True, slots=True)
class StepStarted:
    """Event: a step starts; its conditions were true, and its inputs are evaluated next.

    ``tag`` is the name of its element.
    """

    run_id: str
    path: str
    tag: str
    location: Location


@dataclass(frozen=True, slots=True)
class StepFinished:
    """Event: a step has ended.

    ``status`` is SUCCEEDED, FAILED, CANCELLED or TIMED_OUT, ``error`` the text of the failure, None if it did not fail.
    """

    run_id: str
    path: str
    tag: str
    status: str
    seconds: float
    location: Location
    error: str | None = None
    recorded: bool = False
    """Whether the step has the attribute ``recordMetrics``, which asks observers to measure it; not about the store."""


@dataclass(frozen=True, slots=True)
class StepSkipped:
    """Event: a step was not run. ``reason`` names the condition or flag because of which it was skipped."""

    run_id: str
    path: str
    reason: str
    location: Location


@dataclass(frozen=True, slots=True)
class StepRetried:
    """Event: an attempt of a step failed and is repeated after ``delay`` seconds.

    ``attempt`` is the number of the failed one.
    """

    run_id: str
    path: str
    attempt: int
    delay: float
    error: str
    location: Location


@dataclass(frozen=True, slots=True)
class FailureIgnored:
    """Event: a step with ``allowFailure`` failed, and the run continues. ``error`` is the text of the failure."""

    run_id: str
    path: str
    error: str
    location: Location


@dataclass(frozen=True, slots=True)
class ValueDumped:
    """Event: the value of an input or output with the attribute ``dump``, for debugging.

    ``kind`` is ``input`` or ``output``.
    """

    run_id: str
    path: str
    kind: str
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class StepOutput:
    """Event: a child process of a step has written a line.

    ``stream`` is ``stdout`` or ``stderr``; ``text`` has no line end.
    """

    run_id: str
    path: str
    stream: str
    text: str


@dataclass(frozen=True, slots=True)
class StepReverted:
    """Event: the compensation of a step was performed.

    ``status`` is REVERTED if it succeeded, REVERT_FAILED if it failed.
    """

    run_id: str
    path: str
    status: str
    seconds: float
    location: Location
    error: str | None = None


@dataclass(frozen=True, slots=True)
class StepProgress:
    """Event: a step reports how far it is. ``fraction`` is from 0 to 1; ``text`` is a comment and may be empty."""

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
    """Return an event as a mapping whose values, except a dumped value, can be written as JSON.

    The key ``event`` is the name of its class; locations become texts ``file:line:column``.
    """
    values = {name: getattr(event, name) for name in event.__slots__}
    return {
        "event": type(event).__name__,
        **{name: str(value) if isinstance(value, Location) else value for name, value in values.items()},
    }
