"""Tree of the steps of a run, built from the records of the run.

    main                    the key of a step is its path; a container without a record is added for the steps inside
      main/loop[2]/call     an iteration is inside its loop; main/a~2 is the second visit of a step, main/s#2 its
                            second attempt
      main/loop:items       a key with a colon is the record of a part of the step: its items, its rollback …

Rules: the steps of a container are in the order of their starting times; if one of them has no starting time, they are
in the order of their records.
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
    """One step of a run: its record (None if it has none yet), the records of its parts, and the steps inside it."""

    key: str
    record: StepRecord | None = None
    parts: tuple[StepRecord, ...] = ()
    steps: tuple[RunStep, ...] = ()

    @property
    def name(self) -> str:
        """The last part of the key, such as ``call`` or ``loop[2]``."""
        return self.key.rpartition("/")[2]

    @property
    def attempt(self) -> int:
        """The number of the attempt, counted from 1."""
        match = _ATTEMPT.search(self.key)
        return max(int(match[1]) if match else 1, self.record.attempt if self.record else 1)


@dataclass(frozen=True, slots=True)
class RunDetails:
    """A run with the tree of its steps, whose root is usually ``main``; ``parts`` are the records of the run itself."""

    run: RunRecord
    steps: tuple[RunStep, ...] = ()
    parts: tuple[StepRecord, ...] = ()

    @classmethod
    def of(cls, run: RunRecord, records: Iterable[StepRecord]) -> RunDetails:
        """Build the tree of a run from its records, which are in the order of the store.

        Steps that were RUNNING when the run ended are shown as CANCELLED, because their end was not recorded.
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
class _Entry:
    """The records of a step and the keys of the steps inside it, while the tree is built.

    ``began`` is the earliest time in these records, ``position`` the position of the first of them.
    """

    record: StepRecord | None = None
    parts: list[StepRecord] = field(default_factory=list)
    inside: list[str] = field(default_factory=list)
    began: float = inf
    position: int = 0


def step_and_part(record: StepRecord) -> tuple[str, str]:
    """Return the key of a record's step and the name of the part of the step, ``""`` for the step itself.

    >>> step_and_part(StepRecord("main/loop:items", "items"))
    ('main/loop', 'items')
    """
    if record.kind == "step":  # the name of a step may have a colon
        return record.key, ""
    outer, slash, last = record.key.rpartition("/")
    name, colon, part = last.rpartition(":")
    return (outer + slash + name, part) if colon else (record.key, "")


def _tree(records: Iterable[StepRecord]) -> RunStep:
    """Return the tree of the records, below a root that represents the run."""
    entries = {"": _Entry()}
    for position, record in enumerate(records):
        key, part = step_and_part(record)
        entry = _entry_of(entries, key, position)
        if part or not key:
            entry.parts.append(record)
        else:
            entry.record = record
        began = record.started if record.started is not None else record.ended
        entry.began = min(entry.began, inf if began is None else began)
    steps: dict[str, RunStep] = {}
    for key in sorted(entries, key=len, reverse=True):  # the keys of inner steps are longer
        entry = entries[key]
        children = _in_order(entry.inside, entries)
        entry.began = min([entry.began, *(entries[child].began for child in children)])
        steps[key] = RunStep(key, entry.record, tuple(entry.parts), tuple(steps.pop(child) for child in children))
    return steps[""]


def _entry_of(entries: dict[str, _Entry], key: str, position: int) -> _Entry:
    """Return the entry of a key; create it, and the entries of the enclosing steps, if they do not exist."""
    entry = entries.get(key)
    if entry is None:
        entry = entries[key] = _Entry(position=position)
        _entry_of(entries, _enclosing(key), position).inside.append(key)
    return entry


def _in_order(keys: list[str], entries: Mapping[str, _Entry]) -> list[str]:
    """Return the keys in the order of their starting times, or if one has none, of their first records."""
    timed = all(entries[key].began != inf for key in keys)
    return sorted(keys, key=lambda key: (entries[key].began if timed else 0.0, entries[key].position))


def _enclosing(key: str) -> str:
    """Return the key of the step that encloses a step: for an iteration the loop, for ``main`` the run ("")."""
    loop = _ITERATION.sub("", key)
    return loop if loop != key else key.rpartition("/")[0]
