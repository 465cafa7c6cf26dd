"""A store in memory, whose content is lost when the process ends.

It is the default of the library, and the reference to which the tests compare other stores.

Rules: one lock protects every call, so that threads may share a store. Records are immutable, so they are not copied.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

from taskrun.core.journal import StepRecord
from taskrun.core.states import RunState
from taskrun.durable.records import Owner, RunChanges, RunRecord, RunSummary
from taskrun.durable.store import Write, check_claim, fencing_error, unknown_run, with_changes
from taskrun.errors import FencedError, StoreError, TransitionError

_SUMMARY_FIELDS = tuple(one.name for one in fields(RunSummary))


@dataclass(slots=True)
class _Entry:
    """Record of a run with the latest records of its steps and the open requests to its owner."""

    run: RunRecord
    steps: dict[str, StepRecord] = field(default_factory=dict)
    requests: dict[str, None] = field(default_factory=dict)


class MemoryStore:
    """Store of runs in a dictionary."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.RLock()
        self._closed = False

    def create(self, run: RunRecord) -> None:
        """Insert a new run; raises StoreError if its id exists."""
        with self._lock:
            if run.run_id in self._open_entries():
                raise StoreError(
                    f"there is a run {run.run_id} already", "use another run id, or let taskrun generate one"
                )
            self._entries[run.run_id] = _Entry(run)

    def load(self, run_id: str) -> RunRecord:
        """Return the record of a run; raises UnknownRunError."""
        with self._lock:
            return self._entry(run_id).run

    def records(self, run_id: str) -> list[StepRecord]:
        """Return the latest record of each step of a run, in the order in which they were written."""
        with self._lock:
            return list(self._entry(run_id).steps.values())

    def write(
        self, run_id: str, epoch: int, records: Sequence[StepRecord] = (), run_changes: RunChanges | None = None
    ) -> None:
        """Write step records and changes of one run.

        Raises FencedError for an outdated epoch, TransitionError if the run cannot get the new state.
        """
        for problem in self.write_all([Write(run_id, epoch, records, run_changes)]):
            if problem is not None:
                raise problem

    def write_all(self, writes: Sequence[Write]) -> list[StoreError | None]:
        """Perform writes of several runs; return one error or None per write."""
        with self._lock:
            self._open_entries()
            return [self._write(one) for one in writes]

    def _write(self, one: Write) -> StoreError | None:
        """Perform one write and return None, or change nothing and return the error that refuses it."""
        try:
            entry = self._fenced_entry(one.run_id, one.epoch)
            if one.changes:
                entry.run = with_changes(entry.run, one.changes)
        except (FencedError, TransitionError) as problem:
            return problem
        for record in one.records:
            entry.steps.pop(record.key, None)  # the new record is inserted at the end
            entry.steps[record.key] = record
        if one.changes and "state" in one.changes and not entry.run.state.active:
            entry.requests.clear()
        return None

    def claim(self, run_id: str, owner: Owner, now: float, stale_after: float) -> int:
        """Make ``owner`` the owner of a run and return the new epoch.

        Raises RunOwnedError if the current owner is alive (``stale_after`` are the seconds without a heartbeat after
        which an owner that cannot be checked counts as dead), and TransitionError if the run has ended.
        """
        with self._lock:
            entry = self._entry(run_id)
            check_claim(entry.run, now, stale_after)
            entry.run = replace(entry.run, owner=owner, epoch=entry.run.epoch + 1, heartbeat=now)
            return entry.run.epoch

    def heartbeat(self, run_id: str, epoch: int, now: float) -> None:
        """Renew the lease of a run's owner; raises FencedError if the epoch is outdated."""
        with self._lock:
            self._open_entries()
            entry = self._fenced_entry(run_id, epoch)
            entry.run = replace(entry.run, heartbeat=now)

    def request(self, run_id: str, kind: str) -> None:
        """Store a request to the owner of a run, such as ``cancel``; a repeated request has no effect."""
        with self._lock:
            self._entry(run_id).requests.setdefault(kind)

    def requests(self, run_id: str) -> tuple[str, ...]:
        """Return the open requests to the owner of a run, oldest first."""
        with self._lock:
            return tuple(self._entry(run_id).requests)

    def runs(
        self,
        state: RunState | None = None,
        flow: str | None = None,
        since: float | None = None,
        limit: int | None = None,
    ) -> list[RunSummary]:
        """Return summaries of runs, newest first, filtered by state, flow and time of creation."""
        with self._lock:
            entries = list(self._open_entries().values())
        found = [
            RunSummary(**{name: getattr(run, name) for name in _SUMMARY_FIELDS})
            for run in (entry.run for entry in reversed(entries))
            if (state is None or run.state is state)
            and (flow is None or run.flow == flow)
            and (since is None or run.created >= since)
        ]
        found.sort(key=lambda run: run.created, reverse=True)
        return found[:limit]

    def delete(self, run_id: str) -> None:
        """Delete a run and the runs that it called, at any depth; raises UnknownRunError."""
        with self._lock:
            self._entry(run_id)
            self._delete_with_called({run_id})

    def purge(self, before: float) -> int:
        """Delete the runs that ended before a time (seconds since 1970), and return how many were deleted."""
        with self._lock:
            old = {
                entry.run.run_id
                for entry in self._open_entries().values()
                if entry.run.state.ended
                and entry.run.ended is not None
                and entry.run.ended < before
                and entry.run.parent not in self._entries
            }
            return self._delete_with_called(old)

    def _delete_with_called(self, run_ids: set[str]) -> int:
        """Delete runs and, level by level, the runs that they called; return how many were deleted."""
        count = 0
        while run_ids:
            for run_id in run_ids:
                del self._entries[run_id]
            count += len(run_ids)
            run_ids = {one for one, entry in self._entries.items() if entry.run.parent in run_ids}
        return count

    def close(self) -> None:
        """Close the store; later calls raise StoreError."""
        self._closed = True

    def _open_entries(self) -> dict[str, _Entry]:
        """Return all entries by run id; raises StoreError if the store is closed."""
        if self._closed:
            raise StoreError("the store is closed")
        return self._entries

    def _entry(self, run_id: str) -> _Entry:
        """Return the entry of a run; raises UnknownRunError."""
        entry = self._open_entries().get(run_id)
        if entry is None:
            raise unknown_run(run_id)
        return entry

    def _fenced_entry(self, run_id: str, epoch: int) -> _Entry:
        """Return the entry of a run; raises FencedError unless ``epoch`` is the current epoch of the run."""
        entry = self._entries.get(run_id)
        if entry is None:
            raise fencing_error(run_id, epoch, None)
        if entry.run.epoch != epoch:
            raise fencing_error(run_id, epoch, entry.run.epoch, entry.run.owner)
        return entry
