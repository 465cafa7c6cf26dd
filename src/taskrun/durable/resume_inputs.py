"""Check and record the inputs with which a run is resumed.

Rules: all problems are reported at once, and if there is one, the run does not change. An input is accepted if one of
the wait points of the run requests it. If several wait points have mandatory inputs, it is enough to pass those of one
wait point. The inputs are recorded in the same commit as the new state of the run, before any step uses them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from taskrun.codec.codec import Codecs
from taskrun.core.inputs import Input
from taskrun.core.journal import StepRecord
from taskrun.core.timers import now
from taskrun.durable.recorder import inputs_text
from taskrun.durable.records import RunRecord
from taskrun.durable.step_paths import locate
from taskrun.errors import InputError, near_hint
from taskrun.result import RequestedInput, WaitPoint, requested_names

if TYPE_CHECKING:
    from taskrun.core.flow import Flow
    from taskrun.core.run import Run


def wait_points_of(record: RunRecord) -> tuple[WaitPoint, ...]:
    """Return the wait points of a run, read from its record; a run that is not suspended has none."""
    return tuple(map(WaitPoint.from_json, json.loads(record.waits_for or "[]")))


def unrecorded_inputs(flow: Flow, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of ``inputs`` that the flow declares with ``persist="false"``.

    Such inputs are never recorded, so they must be passed again with each resume.
    """
    private = {item.name for item in flow.model.inputs if not item.persist}
    return {name: value for name, value in inputs.items() if name in private}


def check_resume_inputs(
    run: Run,
    wait_points: tuple[WaitPoint, ...],
    resume_inputs: Mapping[str, Any],
    private_inputs: Mapping[str, Any],
) -> None:
    """Raise InputError, with all problems, unless the inputs are those that the wait points of the run request.

    ``private_inputs`` are inputs of the flow with ``persist="false"``, which a resume must pass again;
    ``resume_inputs`` are all others.
    """
    problems = [
        *_wrong_values(filter(_is_private, run.flow.model.inputs), private_inputs),
        *_unknown_names(requested_names(wait_points), resume_inputs),
    ]
    requested = {point.path: _requested_inputs(run, point) for point in wait_points}
    missing = {path: [item for item in items if _is_missing(item, resume_inputs)] for path, items in requested.items()}
    if missing and all(missing.values()):
        for path, items in missing.items():
            problems.extend(f"{item.describe(path)}: is mandatory and missing" for item in items)
    for path, declared in requested.items():
        problems.extend(_wrong_values(declared, resume_inputs, path))
    if problems:
        raise InputError(problems)


def resume_input_records(
    run: Run, wait_points: tuple[WaitPoint, ...], resume_inputs: Mapping[str, Any], codecs: Codecs
) -> tuple[StepRecord, ...]:
    """Return a record of the resume inputs for each wait point at which the run can continue.

    That is each wait point whose mandatory inputs are all passed; when its step is executed again, it reads this record
    (record key ``path:given``).
    """
    records = []
    for point in wait_points:
        items = _requested_inputs(run, point)
        if not any(_is_missing(item, resume_inputs) for item in items):
            values = {
                item.name: resume_inputs[item.name] for item in items if item.persist and item.name in resume_inputs
            }
            text = inputs_text(codecs, values)
            records.append(StepRecord(f"{point.path}:given", "given", outputs=text, ended=now()))
    return tuple(records)


def _requested_inputs(run: Run, point: WaitPoint) -> tuple[Input, ...]:
    """Return the declarations of the inputs that the step of a wait point requests."""
    if not point.requested:
        return ()
    owner, step = locate(run, point.path)
    return step.traits.requested_inputs(step, owner)


def _unknown_names(names: list[str], resume_inputs: Mapping[str, Any]) -> Iterator[str]:
    """Yield a message for each input that no wait point requests; ``names`` are the requested ones."""
    for name in resume_inputs:
        if name not in names:
            hint = near_hint(name, names) or ("it requests: " + ", ".join(names) if names else "it requests no inputs")
            yield f"the run does not request '{name}'; {hint}"


def _is_private(item: Input) -> bool:
    """Return whether each resume must pass the input again: a by-name input with ``persist="false"``."""
    return not item.persist and item.by_name


def _is_missing(item: Input, resume_inputs: Mapping[str, Any]) -> bool:
    """Return whether an input is mandatory and ``resume_inputs`` contains no value for it, or None."""
    return RequestedInput.of(item).mandatory and resume_inputs.get(item.name) is None


def _wrong_values(items: Iterable[Input], inputs: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield a message for each value in ``inputs`` that its declaration in ``items`` does not allow.

    ``path`` is the path of the step with these declarations, which the messages name; "" for the inputs of the flow.
    """
    for item in items:
        value = inputs.get(item.name)
        if value is None and not (_is_private(item) and RequestedInput.of(item).mandatory):
            continue  # a missing input has a message of its own, and a default is not checked here
        try:
            item.convert(value)
        except ValueError as error:
            yield f"{item.describe(path)}: {error}"
