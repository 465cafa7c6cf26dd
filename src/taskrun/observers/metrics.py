"""Timers of runs and steps: how often, how long, how many failed.

    metrics = Metrics()
    TaskManager(observers=[metrics]).run("flow.task.xml")
    metrics.timers["taskrun.step", "flow", "main/a", "SUCCEEDED"]   # Timer(count=1, seconds=0.002)

Rules: a run is measured always, a step when it carries ``recordMetrics="true"``.
"""

from __future__ import annotations

from dataclasses import dataclass

from taskrun.core.events import Event, RunFinished, RunStarted, StepFinished


@dataclass(slots=True)
class Timer:
    """How often something ended, and the seconds that it took in all."""

    count: int = 0
    seconds: float = 0.0


class Metrics:
    """An observer that adds up times by kind, flow, step path (empty for runs) and state."""

    def __init__(self) -> None:
        self.timers: dict[tuple[str, str, str, str], Timer] = {}
        self._flows: dict[str, str] = {}

    def __call__(self, event: Event) -> None:
        """Take an event in."""
        if isinstance(event, RunStarted):
            self._flows[event.run_id] = event.flow
        elif isinstance(event, RunFinished):
            self._flows.pop(event.run_id, None)
            self._add("taskrun.run", event.flow, "", event.status, event.seconds)
        elif isinstance(event, StepFinished) and event.recorded:
            self._add("taskrun.step", self._flows.get(event.run_id, ""), event.path, event.status, event.seconds)

    def _add(self, kind: str, flow: str, path: str, status: str, seconds: float) -> None:
        timer = self.timers.setdefault((kind, flow, path, str(status)), Timer())
        timer.count += 1
        timer.seconds += seconds
