"""What a new run takes over of an earlier one: ``taskrun rerun RUN --from STEP``.

Rules: records are in the order in which they were last written, so what comes before a step had ended before it began.
What was undone, or was being done, is not taken over, and neither is a container round it.
"""

from __future__ import annotations

from taskrun.core.states import RunState, StepState
from taskrun.durable.records import RunRecord, StepRecord
from taskrun.durable.session import records_to_replay
from taskrun.errors import StoreError, near_hint


def inherited_records(records: list[StepRecord], record: RunRecord, from_step: str | None) -> list[StepRecord]:
    """Return the records of a run that a new one takes over: those from before a step, or before the failure."""
    if from_step is None:
        if record.state is RunState.SUCCEEDED:
            raise StoreError(f"run {record.run_id} has succeeded", "say with --from where the new run begins")
        first = next((n for n, one in enumerate(records) if one.kind == "undo"), len(records))
        found = records_to_replay(records[:first], RunState.FAILED)
        return [one for one in found if one.state not in _NOT_TAKEN and not _holds_undone(one, records)]
    wanted = from_step if from_step.startswith("main/") else f"main/{from_step}"
    inside = (f"{wanted}/", f"{wanted}[", f"{wanted}~", f"{wanted}#", f"{wanted}:")
    places = [n for n, one in enumerate(records) if one.key == wanted or one.key.startswith(inside)]
    if not places:
        known = [one.key for one in records if one.kind == "step"]
        hint = near_hint(wanted, known) or "'taskrun show' lists the steps that it has done"
        raise StoreError(f"run {record.run_id} has not come to a step {wanted}", hint)
    return [one for one in records[: places[0]] if one.state not in _NOT_TAKEN]


_NOT_TAKEN = frozenset({StepState.REVERTED, StepState.REVERT_FAILED, StepState.REVERTING, StepState.CANCELLED})


def _holds_undone(one: StepRecord, records: list[StepRecord]) -> bool:
    inside = (f"{one.key}/", f"{one.key}[")
    return one.state is StepState.SUCCEEDED and any(
        other.state in _NOT_TAKEN and other.key.startswith(inside) for other in records
    )
