"""What somebody gives to a run that is resumed: checked before anything is done with it.

Rules: all problems are reported at once, and the run stays as it was. A name is known when one of the places where the
run stands asks for it. Where several ask, it is enough that one gets all that it must have. What is given is recorded
with the claim on the run, before anything is done with it.
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
    """Return where a suspended run stands."""
    return tuple(map(WaitPoint.from_json, json.loads(record.waits_for or "[]")))


def unrecorded_inputs(flow: Flow, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the given inputs that are the task's own and not recorded (``persist="false"``)."""
    hidden = {item.name for item in flow.model.inputs if not item.persist}
    return {name: value for name, value in given.items() if name in hidden}


def check_resume_inputs(
    run: Run, places: tuple[WaitPoint, ...], answers: Mapping[str, Any], again: Mapping[str, Any]
) -> None:
    """Raise InputError unless what is given is what the run waits for at these places.

    ``again`` are the task's own inputs that are not recorded.
    """
    problems = [
        *_wrong(filter(_is_given_again, run.flow.model.inputs), again),
        *_unknown(requested_names(places), answers),
    ]
    asked = {place.path: _asked(run, place) for place in places}
    missing = {path: [item for item in items if _is_missing(item, answers)] for path, items in asked.items()}
    if missing and all(missing.values()):
        for path, wanted in missing.items():
            problems.extend(f"{item.describe(path)}: is mandatory and missing" for item in wanted)
    for path, items in asked.items():
        problems.extend(_wrong(items, answers, path))
    if problems:
        raise InputError(problems)


def given_records(
    run: Run, places: tuple[WaitPoint, ...], answers: Mapping[str, Any], codecs: Codecs
) -> tuple[StepRecord, ...]:
    """Return the records of what is given to the places that get all that they must have, so that no crash loses it."""
    found = []
    for place in places:
        items = _asked(run, place)
        if not any(_is_missing(item, answers) for item in items):
            values = {item.name: answers[item.name] for item in items if item.persist and item.name in answers}
            text = inputs_text(codecs, values)
            found.append(StepRecord(f"{place.path}:given", "given", outputs=text, ended=now()))
    return tuple(found)


def _asked(run: Run, place: WaitPoint) -> tuple[Input, ...]:
    if not place.asked:
        return ()
    owner, step = locate(run, place.path)
    return step.traits.requested_inputs(step, owner)


def _unknown(names: list[str], answers: Mapping[str, Any]) -> Iterator[str]:
    for name in answers:
        if name not in names:
            hint = near_hint(name, names) or ("it asks for: " + ", ".join(names) if names else "it asks for nothing")
            yield f"the run does not ask for '{name}'; {hint}"


def _is_given_again(item: Input) -> bool:
    return not item.persist and item.by_name


def _is_missing(item: Input, answers: Mapping[str, Any]) -> bool:
    return RequestedInput.of(item).mandatory and answers.get(item.name) is None


def _wrong(items: Iterable[Input], answers: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for item in items:
        value = answers.get(item.name)
        if value is None and not (_is_given_again(item) and RequestedInput.of(item).mandatory):
            continue  # what is missing is told apart, and a default is the flow's own
        try:
            item.convert(value)
        except ValueError as error:
            yield f"{item.describe(path)}: {error}"
