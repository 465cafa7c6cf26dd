"""Which records of a run are replayed when it is resumed or started again.

Rules: records are in the order of their last writes, so the records before a step's are of steps that had ended before it
began.
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
    """Return the records that a resumed run replays; after a failure, the steps that failed unhandled run again."""
    found = list(records)
    if state not in {RunState.FAILED, RunState.TIMED_OUT}:
        return found
    handled = {record.key.removesuffix(":handled") for record in found if record.key.endswith(":handled")}
    return [
        record._replace(state=StepState.RUNNING)
        if record.kind == "step" and record.state in _FAILED and record.key not in handled
        else record
        for record in found
        if record.state is not StepState.CANCELLED
    ]


def inherited_records(records: list[StepRecord], record: RunRecord, from_step: str | None) -> list[StepRecord]:
    """Return the records that a new run inherits from an earlier one: those before a step, or before the failure.

    Records of steps that were rolled back, or were being rolled back, are not inherited, and neither is the record of a
    container that has such steps inside. Raises StoreError if there is no such step, or if nothing failed.
    """
    if from_step is None:
        if record.state is RunState.SUCCEEDED:
            raise StoreError(f"run {record.run_id} has succeeded", "say with --from where the new run begins")
        first = next((n for n, one in enumerate(records) if one.kind == "undo"), len(records))
        found = records_to_replay(records[:first], RunState.FAILED)
        return [one for one in found if one.state not in _NOT_INHERITED and not _holds_compensated(one, records)]
    wanted = from_step if from_step.startswith("main/") else f"main/{from_step}"
    places = [n for n, one in enumerate(records) if is_inside(one.key, wanted) or one.key.startswith(f"{wanted}:")]
    if not places:
        known = [one.key for one in records if one.kind == "step"]
        hint = near_hint(wanted, known) or "'taskrun show' lists the steps that it has done"
        raise StoreError(f"run {record.run_id} has not come to a step {wanted}", hint)
    return [one for one in records[: places[0]] if one.state not in _NOT_INHERITED]


def _holds_compensated(one: StepRecord, records: list[StepRecord]) -> bool:
    inside = (f"{one.key}/", f"{one.key}[")
    return one.state is StepState.SUCCEEDED and any(
        other.state in _NOT_INHERITED and other.key.startswith(inside) for other in records
    )
