"""Selection of the records that a resumed run replays, and that a new run inherits.

Rules: records are in the order of their last writes, so all records before that of a step belong to steps that had
ended before the step began.
"""

from __future__ import annotations

from collections.abc import Iterable

from taskrun.core.journal import StepRecord
from taskrun.core.rollback import is_inside
from taskrun.core.states import RunState, StepState
from taskrun.durable.records import RunRecord
from taskrun.errors import StoreError, near_hint

_FAILED = frozenset({StepState.FAILED, StepState.TIMED_OUT})
_NOT_INHERITED = frozenset({StepState.REVERTED, StepState.REVERT_FAILED, StepState.REVERTING, StepState.CANCELLED})


def records_to_replay(records: Iterable[StepRecord], state: RunState) -> list[StepRecord]:
    """Return the records that a resumed run replays.

    If the run has failed, steps whose failure no handler caught count as RUNNING, so that they are executed again.
    """
    replayed = list(records)
    if state not in {RunState.FAILED, RunState.TIMED_OUT}:
        return replayed
    handled = {record.key.removesuffix(":handled") for record in replayed if record.key.endswith(":handled")}
    return [
        record._replace(state=StepState.RUNNING)
        if record.kind == "step" and record.state in _FAILED and record.key not in handled
        else record
        for record in replayed
        if record.state is not StepState.CANCELLED
    ]


def inherited_records(records: list[StepRecord], record: RunRecord, from_step: str | None) -> list[StepRecord]:
    """Return the records that a new run inherits from an earlier one: those before a step, or before the failure.

    ``from_step`` is the path of the step, with or without ``main/``; None means the failure. Records of steps that were
    rolled back, or were being rolled back, are not inherited, nor are those of containers with such steps inside.
    Raises StoreError if there is no such step, or if nothing failed.
    """
    if from_step is None:
        if record.state is RunState.SUCCEEDED:
            raise StoreError(f"run {record.run_id} has succeeded", "choose the step to begin with: --from STEP")
        rollback = next((n for n, one in enumerate(records) if one.kind == "undo"), len(records))
        replayed = records_to_replay(records[:rollback], RunState.FAILED)
        return [one for one in replayed if one.state not in _NOT_INHERITED and not _contains_compensated(one, records)]
    path = from_step if from_step.startswith("main/") else f"main/{from_step}"
    first = next(
        (n for n, one in enumerate(records) if is_inside(one.key, path) or one.key.startswith(f"{path}:")), None
    )
    if first is None:
        executed = [one.key for one in records if one.kind == "step"]
        hint = near_hint(path, executed) or "'taskrun show' lists the steps that were executed"
        raise StoreError(f"run {record.run_id} has not executed a step {path}", hint)
    return [one for one in records[:first] if one.state not in _NOT_INHERITED]


def _contains_compensated(one: StepRecord, records: list[StepRecord]) -> bool:
    """Return whether a record is that of a succeeded container with steps that were compensated or cancelled."""
    inside = (f"{one.key}/", f"{one.key}[")
    return one.state is StepState.SUCCEEDED and any(
        other.state in _NOT_INHERITED and other.key.startswith(inside) for other in records
    )
