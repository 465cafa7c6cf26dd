"""What is given to a run that goes on: the inputs that it waits for, and those of the task that are not recorded.

Rules: everything is checked before the run is touched, as the inputs of a task are, so that a wrong value leaves it
suspended.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from taskrun.core.inputs import Input
from taskrun.core.located import locate
from taskrun.core.records import RunRecord
from taskrun.core.waiting import Asked, Waiting, names_asked
from taskrun.errors import InputError, StoreError, near_hint

if TYPE_CHECKING:
    from taskrun.core.flow import Flow
    from taskrun.core.run import Run


def places_of(record: RunRecord) -> tuple[Waiting, ...]:
    """Return where a suspended run stands."""
    return tuple(map(Waiting.from_json, json.loads(record.waits_for or "[]")))


def secrets_of(flow: Flow, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the given inputs that are the task's own and not recorded."""
    hidden = {item.name for item in flow.model.inputs if not item.persist}
    return {name: value for name, value in given.items() if name in hidden}


def check_answers(record: RunRecord, answers: Mapping[str, Any], run: Run) -> None:
    """Raise InputError, with every problem, unless what is given is what the run waits for; ``run`` is to go on with."""
    places = places_of(record)
    names = names_asked(places)
    problems = []
    for name in answers:
        if name not in names:
            hint = near_hint(name, names) or ("it asks for: " + ", ".join(names) if names else "it asks for nothing")
            problems.append(f"the run does not ask for '{name}'; {hint}")
    missing = [[item for item in place.asked if item.mandatory and answers.get(item.name) is None] for place in places]
    if places and all(missing):
        for place, items in zip(places, missing, strict=True):
            problems.extend(f"{_called(item, place)}: is mandatory and missing" for item in items)
    for place in places:
        problems.extend(_wrong(place, answers, run))
    if problems:
        raise InputError(problems)


def _wrong(place: Waiting, answers: Mapping[str, Any], run: Run) -> Iterator[str]:
    """Yield what is wrong with the values that are given to one place."""
    declared = _inputs_at(place.path, run)
    for item in place.asked:
        value, known = answers.get(item.name), declared.get(item.name)
        if value is None or known is None:
            continue
        try:
            known.admit(value, run.scope)
        except ValueError as error:
            yield f"{_called(item, place)}: {error}"


def _inputs_at(path: str, run: Run) -> Mapping[str, Input]:
    try:
        _, step = locate(run, path)
    except StoreError:
        return {}  # the run goes on with another flow, which does not have this step any more
    return {item.name: item for item in step.inputs}


def _called(item: Asked, place: Waiting) -> str:
    """Return the input's name, type and place, for messages."""
    return f"input '{item.name}'" + (f" ({item.type})" if item.type else "") + f" of {place.path}"
