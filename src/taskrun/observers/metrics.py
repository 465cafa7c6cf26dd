"""Observer that counts and times runs and steps by final state.

    metrics = Metrics()
    TaskManager(observers=[metrics]).run("flow.task.xml")
    metrics.timers["taskrun.step", "flow", "main/a", "SUCCEEDED"]   # Timer(count=1, seconds=0.002)

Rules: every run is measured; a step is measured if it has ``recordMetrics="true"``.
"""

from __future__ import annotations

from dataclasses import dataclass

from taskrun.core.events import Event, RunFinished, RunStarted, StepFinished


@dataclass(slots=True)
class Timer:
    """Number of measured executions, and their total duration in seconds."""

    count: int = 0
    seconds: float = 0.0


class Metrics:
    """Observer with one Timer per kind (``taskrun.run``, ``taskrun.step``), flow, path (``""`` for runs) and state."""

    def __init__(self) -> None:
        self.timers: dict[tuple[str, str, str, str], Timer] = {}
        self._flows: dict[str, str] = {}

    def __call__(self, event: Event) -> None:
        """Add the duration of a finished run or measured step to its timer; ignore other events."""
        if isinstance(event, RunStarted):
            self._flows[event.run_id] = event.flow
        elif isinstance(event, RunFinished):
            self._flows.pop(event.run_id, None)
            self._add("taskrun.run", event.flow, "", event.status, event.seconds)
        elif isinstance(event, StepFinished) and event.recorded:
            self._add("taskrun.step", self._flows.get(event.run_id, ""), event.path, event.status, event.seconds)

    def _add(self, kind: str, flow: str, path: str, status: str, seconds: float) -> None:
        """Add one execution to a timer."""
        timer = self.timers.setdefault((kind, flow, path, str(status)), Timer())
        timer.count += 1
        timer.seconds += seconds
