"""JSON form of a recorded run with its steps, for ``taskrun show --json``.

Rules: the object has the members that ``taskrun runs --json`` prints for each run, and further ones such as ``steps``.
The member ``error`` is an object here, not a text.
"""

from __future__ import annotations

from typing import Any

from taskrun.cli.render_values import error_json, untagged
from taskrun.cli.runs import summary_json
from taskrun.cli.times import format_iso
from taskrun.core.journal import StepRecord
from taskrun.durable.run_tree import RunDetails, RunStep, step_and_part


def details_json(details: RunDetails, now: float, *, verbose: bool) -> dict[str, Any]:
    """Return a run with its steps as a JSON object.

    Parameters:
        details: the run and the tree of its steps.
        now: the present time in seconds since 1970, which decides whether the owner is dead.
        verbose: whether errors include their tracebacks.
    """
    run = details.run
    return summary_json(run, now) | {
        "path": run.path,
        "sha256": run.sha256,
        "flags": sorted(run.flags),
        "parent": run.parent,
        "parent_step": run.parent_step,
        "inputs": untagged(run.inputs),
        "outputs": untagged(run.outputs),
        "waits_for": untagged(run.waits_for),
        "error": error_json(run.error, verbose=verbose),
        "parts": [_part_json(record, verbose=verbose) for record in details.parts],
        "steps": [_step_json(step, verbose=verbose) for step in details.steps],
    }


def _step_json(step: RunStep, *, verbose: bool) -> dict[str, Any]:
    record = _record_json(step.record or StepRecord(step.key), verbose=verbose)
    unknown = {"state": None, "signal": None} if step.record is None else {}
    return {
        "key": step.key,
        "name": step.name,
        **(record | unknown | {"attempt": step.attempt}),
        "parts": [_part_json(part, verbose=verbose) for part in step.parts],
        "steps": [_step_json(inner, verbose=verbose) for inner in step.steps],
    }


def _part_json(record: StepRecord, *, verbose: bool) -> dict[str, Any]:
    name = step_and_part(record)[1]
    return {"key": record.key, "name": name, **_record_json(record, verbose=verbose)}


def _record_json(record: StepRecord, *, verbose: bool) -> dict[str, Any]:
    timed = record.started is not None and record.ended is not None
    return {
        "kind": record.kind,
        "state": record.state.value,
        "attempt": record.attempt,
        "started": format_iso(record.started),
        "ended": format_iso(record.ended),
        "seconds": round((record.ended or 0.0) - (record.started or 0.0), 6) if timed else None,
        "input_names": list(record.input_names),
        "outputs": untagged(record.outputs),
        "signal": record.signal.name,
        "target": record.target,
        "error": error_json(record.error, verbose=verbose),
        "note": record.note,
    }
