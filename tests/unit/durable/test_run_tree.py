"""Tests of the tree of the steps of a run."""

from __future__ import annotations

import random

import pytest
from sample_runs import BOOKING, STEPS, a_run

from taskrun.core.journal import StepRecord
from taskrun.durable.run_tree import RunDetails, RunStep, step_and_part


def shape(steps: tuple[RunStep, ...]) -> list[object]:
    """Return the names of steps, each followed by those of the steps inside it."""
    found: list[object] = []
    for step in steps:
        found.append(step.name)
        if step.steps:
            found.append(shape(step.steps))
    return found


def details(*records: StepRecord) -> RunDetails:
    return RunDetails.of(a_run(BOOKING, 0), records)


def test_steps_are_in_the_order_of_their_starting_times():
    """The order of the records does not matter if all steps have starting times."""
    loop = ["each[1]", ["hold"], "each[0]", ["hold"]]
    wanted = ["fetch", "which", "each", loop, "notify", "pay", "pay#2", "alert", "tell"]
    assert shape(details(*STEPS).steps) == ["main", wanted]
    mixed = [one for one in STEPS if one.key not in {"main/alert", "main/tell"}]  # those began at one time
    random.Random(5).shuffle(mixed)
    assert shape(details(*mixed).steps) == ["main", wanted[:-2]]


def test_parts_belong_to_their_steps():
    """Parts belong to their step, even without a record of the step, or to the run."""
    made = details(*STEPS)
    assert [part.key for part in made.parts] == [":vars"]
    (main,) = made.steps
    assert main.record is None
    parts = {step.name: [step_and_part(part)[1] for part in step.parts] for step in main.steps}
    assert parts["fetch"] == ["undo"]
    assert parts["which"] == ["decider"]
    assert parts["each"] == ["items"]
    assert {step.name: step.record is None for step in main.steps}["which"]


def test_without_times_the_order_is_that_of_the_records():
    """If one step has no starting time, the steps are in the order of their first records."""
    records = [StepRecord("main/b/x"), StepRecord("main/c", started=1.0), StepRecord("main/a"), StepRecord("main/b")]
    assert shape(details(*records).steps) == ["main", ["b", ["x"], "c", "a"]]
    skipped = StepRecord("main/a", ended=0.5)
    assert shape(details(StepRecord("main/c", started=1.0), skipped).steps) == ["main", ["a", "c"]]


@pytest.mark.parametrize(
    ("key", "kind", "expected"),
    [
        ("main/a:b", "step", ("main/a:b", "")),
        ("main/a:b:undo", "undo", ("main/a:b", "undo")),
        ("main/s:attempt[2]", "attempt", ("main/s", "attempt[2]")),
        ("main/x:y/s", "vars", ("main/x:y/s", "")),
        ("main", "flow", ("main", "")),
        ("", "vars", ("", "")),
        (":vars", "vars", ("", "vars")),
    ],
)
def test_keys(key, kind, expected):
    """The text behind the last colon of a key is the part, except in records of steps."""
    assert step_and_part(StepRecord(key, kind)) == expected


def test_attempts():
    """The attempt comes from the record or from the key."""
    assert RunStep("main/s").attempt == 1
    assert RunStep("main/s#3").attempt == 3
    assert RunStep("main/s", StepRecord("main/s", attempt=4)).attempt == 4


def test_a_run_without_records():
    """A run without records has no steps."""
    assert details() == RunDetails(a_run(BOOKING, 0))


def test_many_steps():
    """The tree of ten thousand iterations is built quickly."""
    made = details(*(StepRecord(f"main/loop[{number}]/s", started=float(number)) for number in range(10_000)))
    assert [step.name for step in made.steps[0].steps[0].steps] == [f"loop[{number}]" for number in range(10_000)]
