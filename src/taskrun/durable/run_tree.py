"""Build the tree of the steps of a run from its records, whose keys are paths.

    main/loop             a step inside main; main is in the tree even if it has no record
    main/loop[2]/call     a step inside the iteration main/loop[2], which is inside main/loop
    main/a~2, main/s#2    the second visit of a step, the second attempt of a step
    main/loop:items       the record of a part of main/loop: its items

Rules: the steps of a container are in the order of their starting times. If one of them has no starting time, all are
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
    """One step in the tree of a run: its record, the records of its parts, and the steps inside it.

    ``key`` is its path. ``record`` is None for a container that has no record itself, but has steps inside it.
    """

    key: str
    record: StepRecord | None = None
    parts: tuple[StepRecord, ...] = ()
    steps: tuple[RunStep, ...] = ()

    @property
    def name(self) -> str:
        """The last segment of the path, such as ``call`` or ``loop[2]``."""
        return self.key.rpartition("/")[2]

    @property
    def attempt(self) -> int:
        """The number of the last recorded attempt of the step, counted from 1."""
        match = _ATTEMPT.search(self.key)
        return max(int(match[1]) if match else 1, self.record.attempt if self.record else 1)


@dataclass(frozen=True, slots=True)
class RunDetails:
    """A run with the tree of its steps, for people who want to see what it did.

    ``steps`` are the outermost steps, usually only ``main``. ``parts`` are records that belong to the run as a whole.
    """

    run: RunRecord
    steps: tuple[RunStep, ...] = ()
    parts: tuple[StepRecord, ...] = ()

    @classmethod
    def of(cls, run: RunRecord, records: Iterable[StepRecord]) -> RunDetails:
        """Build the tree of a run from its records, which must be in the order in which the store returns them.

        If the run has ended, steps that are still recorded as RUNNING are shown as CANCELLED: their end was not
        recorded.
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
    """What is known of one step while the tree is built: its records, and the paths of the steps inside.

    ``began`` is the earliest time in the records of the step and its parts. ``position`` is the place of the first of
    these records in the order of the store.
    """

    record: StepRecord | None = None
    parts: list[StepRecord] = field(default_factory=list)
    inside: list[str] = field(default_factory=list)
    began: float = inf
    position: int = 0


def step_and_part(record: StepRecord) -> tuple[str, str]:
    """Return the path of the step to which a record belongs, and the name of the part that it records.

    The name is ``""`` for the record of the step itself.

    >>> step_and_part(StepRecord("main/loop:items", "items"))
    ('main/loop', 'items')
    """
    if record.kind == "step":  # the name of a step may have a colon
        return record.key, ""
    outer, slash, last = record.key.rpartition("/")
    name, colon, part = last.rpartition(":")
    return (outer + slash + name, part) if colon else (record.key, "")


def _tree(records: Iterable[StepRecord]) -> RunStep:
    """Return the tree of the records; its root has the path "" and represents the run."""
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
    """Return what is known of the step at the path ``key``, to add something to it.

    For a new path the entry is created, and with it the entries of all steps that enclose the step.
    """
    entry = entries.get(key)
    if entry is None:
        entry = entries[key] = _Entry(position=position)
        _entry_of(entries, _enclosing(key), position).inside.append(key)
    return entry


def _in_order(keys: list[str], entries: Mapping[str, _Entry]) -> list[str]:
    """Return the paths of sibling steps, sorted by starting time; if one has none, sorted by their first records."""
    timed = all(entries[key].began != inf for key in keys)
    return sorted(keys, key=lambda key: (entries[key].began if timed else 0.0, entries[key].position))


def _enclosing(key: str) -> str:
    """Return the path of what encloses a step: the container, for an iteration the loop, for ``main`` the run ("")."""
    loop = _ITERATION.sub("", key)
    return loop if loop != key else key.rpartition("/")[0]
