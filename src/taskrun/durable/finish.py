"""How a recorded run ends: what is written down of that, and what the caller gets.

Rules: a run that has ended, or is suspended, belongs to nobody. One that was stopped because its records cannot be written
is left as it is, for whoever resumes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from taskrun.core.abort import RunAborted
from taskrun.core.flow import Flow
from taskrun.core.outputs import unrecorded
from taskrun.core.run import Run
from taskrun.core.states import RunState
from taskrun.durable.recorder import now
from taskrun.durable.records import RunChanges
from taskrun.errors import TaskrunError
from taskrun.result import RunResult


def finish_aborted(run: Run, stopped: RunAborted) -> RunAborted:
    """Write down how a run stands that was stopped, where something can be written."""
    if run.recorder is not None and not run.recorder.lost:
        restore_state(run, stopped.error)
    return stopped


def end(
    run: Run, state: RunState, error: BaseException | None = None, outputs: Mapping[str, Any] | None = None
) -> None:
    """Write down how a run ended, or that it is suspended."""
    recorder = run.recorder
    if recorder is None:
        return
    if run.state is RunState.REVERTING and state in {RunState.SUCCEEDED, RunState.SUSPENDED}:
        recorder.write({"state": RunState.RUNNING})  # what was undone was a container whose failure was held
    elif run.state is RunState.RUNNING and state in {RunState.REVERTED, RunState.REVERT_FAILED}:
        recorder.write({"state": RunState.REVERTING})  # another branch has held its own failure since
    changes: RunChanges = {"state": state, "error": None if error is None else recorder.error(error)}
    if state is RunState.SUSPENDED:
        changes["waits_for"] = json.dumps([place.as_json() for place in run.waiting], ensure_ascii=False)
    else:
        changes["waits_for"] = None
        changes["ended"] = now()
    if outputs is not None:
        changes["outputs"] = text_of(run, outputs)
    recorder.write(changes)
    run.state = state


def restore_state(run: Run, error: TaskrunError) -> None:
    """Write down that a resumed run could not go on and stands as before; one that began here has failed."""
    before, recorder = run.before, run.recorder
    if before is None or recorder is None or run.state is not RunState.RUNNING:
        end(run, RunState.FAILED, error)
    elif before.state.active:
        recorder.write({"owner": None})
    else:
        recorder.write(
            {"state": before.state, "error": before.error, "waits_for": before.waits_for, "ended": before.ended}
        )


def result_of(flow: Flow, run_id: str, outputs: Mapping[str, Any]) -> RunResult:
    """Return what a run gives whose flow has these outputs and RESULT."""
    names = [item.name for item in flow.model.outputs] or ["RESULT"]
    declared = {name: outputs.get(name) for name in names}
    return RunResult(declared, RunState.SUCCEEDED, run_id, outputs.get("RESULT"))


def text_of(run: Run, outputs: Mapping[str, Any]) -> str:
    """Return the text of the run's outputs that are recorded."""
    hidden = unrecorded(run.flow.model.outputs)
    kept = {name: value for name, value in outputs.items() if name not in hidden}
    return run.recorder.text(kept, "the result of the run: ")  # type: ignore[union-attr]
