"""Events of a run, for observers: the public names of ``taskrun.core.events``.

An observer is a function that receives every event:

    def print_failures(event: Event) -> None:
        if isinstance(event, StepFinished) and event.error:
            print(event.path, event.error)

    TaskManager(observers=[print_failures]).run("flow.task.xml")
"""

from __future__ import annotations

from taskrun.core.events import (
    Event,
    FailureIgnored,
    Observer,
    RunFinished,
    RunStarted,
    StepFinished,
    StepOutput,
    StepProgress,
    StepRetried,
    StepReverted,
    StepSkipped,
    StepStarted,
    ValueDumped,
    as_mapping,
)

__all__ = [
    "Event",
    "FailureIgnored",
    "Observer",
    "RunFinished",
    "RunStarted",
    "StepFinished",
    "StepOutput",
    "StepProgress",
    "StepRetried",
    "StepReverted",
    "StepSkipped",
    "StepStarted",
    "ValueDumped",
    "as_mapping",
]
