"""Events of a run, for observers: the public names of ``taskrun.core.events``.

from taskrun.events import Event, StepFinished

def print_failures(event: Event) -> None:
    if isinstance(event, StepFinished) and event.error:
        print(event.path, event.error)

TaskManager(observers=[print_failures]).run("flow.task.xml")
"""

from __future__ import annotations

from taskrun.core.events import Event as Event
from taskrun.core.events import FailureIgnored as FailureIgnored
from taskrun.core.events import Observer as Observer
from taskrun.core.events import RunFinished as RunFinished
from taskrun.core.events import RunStarted as RunStarted
from taskrun.core.events import StepFinished as StepFinished
from taskrun.core.events import StepOutput as StepOutput
from taskrun.core.events import StepProgress as StepProgress
from taskrun.core.events import StepRetried as StepRetried
from taskrun.core.events import StepReverted as StepReverted
from taskrun.core.events import StepSkipped as StepSkipped
from taskrun.core.events import StepStarted as StepStarted
from taskrun.core.events import ValueDumped as ValueDumped
from taskrun.core.events import as_mapping as as_mapping
