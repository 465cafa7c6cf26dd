"""Select the records that a resumed run replays, and those that a rerun inherits from an earlier run.

Rules: records are in the order of their last writes. So all records before the first one of a step belong to steps that
had ended before that step began.
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
    """Return the records that a resumed run replays; ``state`` is the state of the run before the resume.

    For a run that is FAILED or TIMED_OUT, two kinds of records are treated in a special way. A step whose failure no
    handler caught counts as RUNNING, so that it is executed again. Records of cancelled steps are left out. For other
    states all records are replayed unchanged.
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
    """Return the records that a new run inherits from an earlier one, so that it need not repeat their steps.

    ``records`` and ``record`` are those of the earlier run. ``from_step`` is the path of a step, with or without
    ``main/``: the records written before that step began are inherited. With None, all are inherited that were written
    before the failure of the run was rolled back; the step that failed is executed again. Records of cancelled steps,
    and of steps with a rollback (begun, done or failed), are never inherited.

    Raises StoreError if the run has not executed ``from_step``, or if ``from_step`` is None and the run has succeeded.
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
    """Return whether the record is that of a succeeded container inside which a step was cancelled or rolled back.

    Such a container must be executed again although it has succeeded.
    """
    inside = (f"{one.key}/", f"{one.key}[")
    return one.state is StepState.SUCCEEDED and any(
        other.state in _NOT_INHERITED and other.key.startswith(inside) for other in records
    )
