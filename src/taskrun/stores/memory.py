"""A store that forgets everything when the process ends: the default of the library, and what others are compared with.

Rules: one lock round every call, so that threads may share it. Records are immutable, so they are kept as they are.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

from taskrun.core.journal import StepRecord
from taskrun.core.states import RunState
from taskrun.durable.records import Owner, RunChanges, RunRecord, RunSummary
from taskrun.durable.store import Write, changed, check_claim, fenced, unknown_run
from taskrun.errors import FencedError, StoreError, TransitionError

SUMMARY = tuple(one.name for one in fields(RunSummary))


@dataclass(slots=True)
class _Entry:
    run: RunRecord
    steps: dict[str, StepRecord] = field(default_factory=dict)
    requests: dict[str, None] = field(default_factory=dict)


class MemoryStore:
    """Runs in a dictionary."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.RLock()
        self._closed = False

    def create(self, run: RunRecord) -> None:
        """See Store."""
        with self._lock:
            if run.run_id in self._open():
                raise StoreError(f"there is a run {run.run_id} already", "leave the choice of an id to taskrun")
            self._entries[run.run_id] = _Entry(run)

    def load(self, run_id: str) -> RunRecord:
        """See Store."""
        with self._lock:
            return self._entry(run_id).run

    def records(self, run_id: str) -> list[StepRecord]:
        """See Store."""
        with self._lock:
            return list(self._entry(run_id).steps.values())

    def write(
        self, run_id: str, epoch: int, records: Sequence[StepRecord] = (), run_changes: RunChanges | None = None
    ) -> None:
        """See Store."""
        for problem in self.write_all([Write(run_id, epoch, records, run_changes)]):
            if problem is not None:
                raise problem

    def write_all(self, writes: Sequence[Write]) -> list[StoreError | None]:
        """See Store."""
        with self._lock:
            self._open()
            return [self._write(one) for one in writes]

    def _write(self, one: Write) -> StoreError | None:
        try:
            entry = self._fence(one.run_id, one.epoch)
            if one.changes:
                entry.run = changed(entry.run, one.changes)
        except (FencedError, TransitionError) as problem:
            return problem
        for record in one.records:
            entry.steps.pop(record.key, None)  # so that the new one is the last
            entry.steps[record.key] = record
        if one.changes and "state" in one.changes and not entry.run.state.active:
            entry.requests.clear()
        return None

    def claim(self, run_id: str, owner: Owner, now: float, stale_after: float) -> int:
        """See Store."""
        with self._lock:
            entry = self._entry(run_id)
            check_claim(entry.run, now, stale_after)
            entry.run = replace(entry.run, owner=owner, epoch=entry.run.epoch + 1, heartbeat=now)
            return entry.run.epoch

    def heartbeat(self, run_id: str, epoch: int, now: float) -> None:
        """See Store."""
        with self._lock:
            self._open()
            entry = self._fence(run_id, epoch)
            entry.run = replace(entry.run, heartbeat=now)

    def request(self, run_id: str, kind: str) -> None:
        """See Store."""
        with self._lock:
            self._entry(run_id).requests.setdefault(kind)

    def requests(self, run_id: str) -> tuple[str, ...]:
        """See Store."""
        with self._lock:
            return tuple(self._entry(run_id).requests)

    def runs(
        self,
        state: RunState | None = None,
        flow: str | None = None,
        since: float | None = None,
        limit: int | None = None,
    ) -> list[RunSummary]:
        """See Store."""
        with self._lock:
            entries = list(self._open().values())
        found = [
            RunSummary(**{name: getattr(run, name) for name in SUMMARY})
            for run in (entry.run for entry in reversed(entries))
            if (state is None or run.state is state)
            and (flow is None or run.flow == flow)
            and (since is None or run.created >= since)
        ]
        found.sort(key=lambda run: run.created, reverse=True)
        return found[:limit]

    def delete(self, run_id: str) -> None:
        """See Store."""
        with self._lock:
            self._entry(run_id)
            self._remove({run_id})

    def purge(self, before: float) -> int:
        """See Store."""
        with self._lock:
            old = {
                entry.run.run_id
                for entry in self._open().values()
                if entry.run.state.ended
                and entry.run.ended is not None
                and entry.run.ended < before
                and entry.run.parent not in self._entries
            }
            return self._remove(old)

    def _remove(self, run_ids: set[str]) -> int:
        """Remove runs and, round by round, those that they called."""
        count = 0
        while run_ids:
            for run_id in run_ids:
                del self._entries[run_id]
            count += len(run_ids)
            run_ids = {one for one, entry in self._entries.items() if entry.run.parent in run_ids}
        return count

    def close(self) -> None:
        """See Store."""
        self._closed = True

    def _open(self) -> dict[str, _Entry]:
        if self._closed:
            raise StoreError("the store is closed")
        return self._entries

    def _entry(self, run_id: str) -> _Entry:
        entry = self._open().get(run_id)
        if entry is None:
            raise unknown_run(run_id)
        return entry

    def _fence(self, run_id: str, epoch: int) -> _Entry:
        """Return the entry of the run when the epoch is the present one."""
        entry = self._entries.get(run_id)
        if entry is None:
            raise fenced(run_id, epoch, None)
        if entry.run.epoch != epoch:
            raise fenced(run_id, epoch, entry.run.epoch, entry.run.owner)
        return entry
