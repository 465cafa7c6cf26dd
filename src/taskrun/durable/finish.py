"""Finish: records how a run ended, and builds its result.

Rules: a run that has ended, or is suspended, has no owner. If a run was aborted because its records cannot be written,
nothing more is recorded. Another process can then resume it from its last checkpoint.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from taskrun.core.flow import Flow
from taskrun.core.outputs import unrecorded
from taskrun.core.run import Run
from taskrun.core.states import RunState
from taskrun.core.timers import now
from taskrun.durable.recorder import Recorder, find_recorder
from taskrun.durable.records import RunChanges, RunRecord
from taskrun.errors import TaskrunError
from taskrun.result import RunResult


@dataclass(slots=True, eq=False)
class Finish:
    """Records the end of one run; if the run is not recorded, the methods record nothing.

    ``before`` is the record that a resumed run had before it was resumed, None for a new run.
    """

    _run: Run
    _before: RunRecord | None

    def end(
        self, state: RunState, error: BaseException | None = None, outputs: Mapping[str, Any] | None = None
    ) -> None:
        """Record that the run has ended or is suspended: its new ``state``, with its error or its outputs."""
        run, recorder = self._run, find_recorder(self._run)
        if recorder is None:
            return
        if run.state is RunState.REVERTING and state in {RunState.SUCCEEDED, RunState.SUSPENDED}:
            recorder.write({"state": RunState.RUNNING})  # a container was rolled back and its failure was handled
        elif run.state is RunState.RUNNING and state in {RunState.REVERTED, RunState.REVERT_FAILED}:
            recorder.write({"state": RunState.REVERTING})  # another branch has handled its own failure since
        changes: RunChanges = {"state": state, "error": None if error is None else recorder.error_record(error)}
        if state is RunState.SUSPENDED:
            changes["waits_for"] = json.dumps([point.as_json() for point in recorder.wait_points], ensure_ascii=False)
        else:
            changes["waits_for"] = None
            changes["ended"] = now()
        if outputs is not None:
            changes["outputs"] = self.outputs_text(recorder, outputs)
        recorder.write(changes)
        run.state = state

    def suspended(self) -> RunResult:
        """Record that the run is suspended, and return its result; ``waiting`` of the result lists the wait points."""
        self.end(RunState.SUSPENDED)
        recorder = find_recorder(self._run)
        points = () if recorder is None else tuple(recorder.wait_points)
        return RunResult({}, RunState.SUSPENDED, self._run.run_id, None, points)

    def withdraw(self) -> bool:
        """Delete the record of a new run whose inputs were refused, as if it had never been started.

        Returns True if the record was deleted, False if the run is not recorded or is a resumed one, whose record must
        stay.
        """
        recorder = find_recorder(self._run)
        if recorder is None or recorder.replays:
            return False
        recorder.journal.store.delete(self._run.run_id)
        return True

    def aborted(self, error: TaskrunError) -> None:
        """Record the end of a run that was aborted because of ``error``.

        A new run becomes FAILED. A resumed run returns to the state that it had before the resume, unless a rollback
        has begun since: then it becomes FAILED. If records cannot be written any more, nothing is recorded.
        """
        run, recorder, before = self._run, find_recorder(self._run), self._before
        if recorder is None or recorder.is_broken:
            return
        if before is None or run.state is not RunState.RUNNING:
            self.end(RunState.FAILED, error)
        elif before.state.active:
            recorder.write({"owner": None})
        else:
            recorder.write(
                {"state": before.state, "error": before.error, "waits_for": before.waits_for, "ended": before.ended}
            )

    def outputs_text(self, recorder: Recorder, outputs: Mapping[str, Any]) -> str:
        """Return the JSON text of the outputs of the run; outputs with ``persist="false"`` are left out."""
        hidden = unrecorded(self._run.flow.model.outputs)
        public = {name: value for name, value in outputs.items() if name not in hidden}
        return recorder.text(public, "the result of the run: ")


def result_of(flow: Flow, run_id: str, outputs: Mapping[str, Any]) -> RunResult:
    """Return the RunResult of a succeeded run; ``outputs`` contains the declared outputs of its flow, and RESULT."""
    names = [item.name for item in flow.model.outputs] or ["RESULT"]
    declared = {name: outputs.get(name) for name in names}
    return RunResult(declared, RunState.SUCCEEDED, run_id, outputs.get("RESULT"))
