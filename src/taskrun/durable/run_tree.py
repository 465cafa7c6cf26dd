"""What is known of a run, put together from its records: the run and the tree of its steps.

    main                    the key of a step is its path; one that has no record yet is there for the steps in it
      main/loop[2]/call     an iteration, which is in its loop; main/a~2 is the second visit of a step, main/s#2 its
                            second attempt
      main/loop:items       what stands behind a colon is a record of a part of the step: its items, an undoing …

Rules: steps stand in the order in which they began; where that is not known of all of a step's children, in the order of
their records.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf

from taskrun.core.journal import StepRecord
from taskrun.core.states import StepState
from taskrun.durable.records import RunRecord

_ATTEMPT = re.compile(r"#(\d+)$")
_ITERATION = re.compile(r"\[[^\[\]/]*\]$")


@dataclass(frozen=True, slots=True)
class RunStep:
    """A step of a run: its own record, None where there is none (yet), the records of its parts, the steps in it."""

    key: str
    record: StepRecord | None = None
    parts: tuple[StepRecord, ...] = ()
    steps: tuple[RunStep, ...] = ()

    @property
    def name(self) -> str:
        """The end of the key, such as ``call`` or ``loop[2]``."""
        return self.key.rpartition("/")[2]

    @property
    def attempt(self) -> int:
        """Which attempt it is, from 1."""
        found = _ATTEMPT.search(self.key)
        return max(int(found[1]) if found else 1, self.record.attempt if self.record else 1)


@dataclass(frozen=True, slots=True)
class RunDetails:
    """A run with the tree of its steps (as a rule one, ``main``); ``parts`` are the records of the run itself."""

    run: RunRecord
    steps: tuple[RunStep, ...] = ()
    parts: tuple[StepRecord, ...] = ()

    @classmethod
    def of(cls, run: RunRecord, records: Iterable[StepRecord]) -> RunDetails:
        """Put a run and its records, in the order of the store, together.

        What was being done when a run ended was cancelled with it, which nobody wrote down.
        """
        if run.state.ended:
            records = [
                record._replace(state=StepState.CANCELLED)
                if record.kind == "step" and record.state is StepState.RUNNING
                else record
                for record in records
            ]
        root = _tree(records)
        return cls(run, root.steps, root.parts)


@dataclass(slots=True)
class _Found:
    """What was found of a step so far; ``began`` is a time and ``place`` a place among the records."""

    record: StepRecord | None = None
    parts: list[StepRecord] = field(default_factory=list)
    below: list[str] = field(default_factory=list)
    began: float = inf
    place: int = 0


def step_and_part(record: StepRecord) -> tuple[str, str]:
    """Return the key of the step that a record is about, and the part of it, ``""`` for the step itself.

    >>> step_and_part(StepRecord("main/loop:items", "items"))
    ('main/loop', 'items')
    """
    if record.kind == "step":  # whose name may have a colon
        return record.key, ""
    outer, slash, last = record.key.rpartition("/")
    name, colon, part = last.rpartition(":")
    return (outer + slash + name, part) if colon else (record.key, "")


def _tree(records: Iterable[StepRecord]) -> RunStep:
    """Return the tree below a step that stands for the run."""
    found = {"": _Found()}
    for place, record in enumerate(records):
        key, part = step_and_part(record)
        entry = _entry(found, key, place)
        if part or not key:
            entry.parts.append(record)
        else:
            entry.record = record
        began = record.started if record.started is not None else record.ended
        entry.began = min(entry.began, inf if began is None else began)
    made: dict[str, RunStep] = {}
    for key in sorted(found, key=len, reverse=True):  # what is in a step has a longer key
        entry = found[key]
        children = _in_order(entry.below, found)
        entry.began = min([entry.began, *(found[child].began for child in children)])
        made[key] = RunStep(key, entry.record, tuple(entry.parts), tuple(made.pop(child) for child in children))
    return made[""]


def _entry(found: dict[str, _Found], key: str, place: int) -> _Found:
    """Return the entry of a key; it and those round it are made at their first record."""
    entry = found.get(key)
    if entry is None:
        entry = found[key] = _Found(place=place)
        _entry(found, _outer(key), place).below.append(key)
    return entry


def _in_order(keys: list[str], found: Mapping[str, _Found]) -> list[str]:
    timed = all(found[key].began != inf for key in keys)
    return sorted(keys, key=lambda key: (found[key].began if timed else 0.0, found[key].place))


def _outer(key: str) -> str:
    """Return the key of what a step is in: of an iteration that is the loop, of ``main`` it is the run."""
    loop = _ITERATION.sub("", key)
    return loop if loop != key else key.rpartition("/")[0]
