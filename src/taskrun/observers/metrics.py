"""Observer that counts runs and steps, and adds up their durations, by the state in which they ended.

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
    """How often something was executed (``count``), and the total duration in seconds."""

    count: int = 0
    seconds: float = 0.0


class Metrics:
    """Observer that measures runs and steps; ``timers`` has the Timer of each kind, flow, path and final state.

    The kind is ``"taskrun.run"`` or ``"taskrun.step"``; the path of a run is ``""``.
    """

    def __init__(self) -> None:
        self.timers: dict[tuple[str, str, str, str], Timer] = {}
        self._flows: dict[str, str] = {}

    def __call__(self, event: Event) -> None:
        """Add the duration of a run or measured step that has ended to its Timer; do nothing for any other event."""
        if isinstance(event, RunStarted):
            self._flows[event.run_id] = event.flow
        elif isinstance(event, RunFinished):
            self._flows.pop(event.run_id, None)
            self._add("taskrun.run", event.flow, "", event.status, event.seconds)
        elif isinstance(event, StepFinished) and event.recorded:
            self._add("taskrun.step", self._flows.get(event.run_id, ""), event.path, event.status, event.seconds)

    def _add(self, kind: str, flow: str, path: str, status: str, seconds: float) -> None:
        """Add one execution to the Timer of its kind, flow, path and final state; the first one creates the Timer."""
        timer = self.timers.setdefault((kind, flow, path, str(status)), Timer())
        timer.count += 1
        timer.seconds += seconds
