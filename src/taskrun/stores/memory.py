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
    """What the store has of one run: its record, its step records by record key, and the requests for its owner."""

    run: RunRecord
    steps: dict[str, StepRecord] = field(default_factory=dict)
    requests: dict[str, None] = field(default_factory=dict)


class MemoryStore:
    """Store that keeps the runs in a dictionary; they are lost when the process ends."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.RLock()
        self._closed = False

    def create(self, run: RunRecord) -> None:
        """Insert the record of a new run; raises StoreError if a run with its id exists."""
        with self._lock:
            if run.run_id in self._open_entries():
                raise StoreError(
                    f"there is a run {run.run_id} already", "use another run id, or let taskrun generate one"
                )
            self._entries[run.run_id] = _Entry(run)

    def load(self, run_id: str) -> RunRecord:
        """Return the record of a run, without the records of its steps; raises UnknownRunError."""
        with self._lock:
            return self._entry(run_id).run

    def records(self, run_id: str) -> list[StepRecord]:
        """Return the latest record for each record key of a run, in the order in which these were written."""
        with self._lock:
            return list(self._entry(run_id).steps.values())

    def write(
        self, run_id: str, epoch: int, records: Sequence[StepRecord] = (), run_changes: RunChanges | None = None
    ) -> None:
        """Write records of steps and changes of one run.

        Raises FencedError if the run was deleted or claimed under a newer epoch, and TransitionError if its state
        cannot change to the new one.
        """
        for problem in self.write_all([Write(run_id, epoch, records, run_changes)]):
            if problem is not None:
                raise problem

    def write_all(self, writes: Sequence[Write]) -> list[StoreError | None]:
        """Perform the writes of several runs; return for each None, or the error with which it was refused."""
        with self._lock:
            self._open_entries()
            return [self._write(one) for one in writes]

    def _write(self, one: Write) -> StoreError | None:
        """Perform one write and return None; if it is refused, change nothing and return the error."""
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
        """Make ``owner`` the owner of a run, and return its new epoch; ``now`` is the time in seconds since 1970.

        Raises RunOwnedError if the present owner may be alive: it is not known to be dead, and has sent a heartbeat in
        the last ``stale_after`` seconds. Raises TransitionError if the run has ended for good.
        """
        with self._lock:
            entry = self._entry(run_id)
            check_claim(entry.run, now, stale_after)
            entry.run = replace(entry.run, owner=owner, epoch=entry.run.epoch + 1, heartbeat=now)
            return entry.run.epoch

    def heartbeat(self, run_id: str, epoch: int, now: float) -> None:
        """Renew the lease of a run; raises FencedError if the run was deleted or claimed under a newer epoch."""
        with self._lock:
            self._open_entries()
            entry = self._fenced_entry(run_id, epoch)
            entry.run = replace(entry.run, heartbeat=now)

    def request(self, run_id: str, kind: str) -> None:
        """Store a request for the owner of a run, such as ``cancel``; if it is stored already, nothing changes."""
        with self._lock:
            self._entry(run_id).requests.setdefault(kind)

    def requests(self, run_id: str) -> tuple[str, ...]:
        """Return the requests for the owner of a run, the oldest first; reading does not remove them."""
        with self._lock:
            return tuple(self._entry(run_id).requests)

    def runs(
        self,
        state: RunState | None = None,
        flow: str | None = None,
        since: float | None = None,
        limit: int | None = None,
    ) -> list[RunSummary]:
        """Return summaries of runs, the newest first; each parameter that is not None restricts the list.

        ``state``: only runs in this state; ``flow``: of the flow with this name; ``since``: created at or after this
        time in seconds since 1970; ``limit``: the maximum number of runs.
        """
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
        """Delete a run, the runs that it called, the runs that these called, and so on; raises UnknownRunError."""
        with self._lock:
            self._entry(run_id)
            self._delete_with_called({run_id})

    def purge(self, before: float) -> int:
        """Delete the runs that ended before a time (seconds since 1970), and all runs that they called.

        Runs whose calling run exists are deleted only together with it. Returns the number of deleted runs.
        """
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
        """Delete runs and all runs that they called, directly or indirectly; return the number of deleted runs."""
        count = 0
        while run_ids:
            for run_id in run_ids:
                del self._entries[run_id]
            count += len(run_ids)
            run_ids = {one for one, entry in self._entries.items() if entry.run.parent in run_ids}
        return count

    def close(self) -> None:
        """Close the store: every later call of another method raises StoreError."""
        self._closed = True

    def _open_entries(self) -> dict[str, _Entry]:
        """Return the entries of all runs by run id; raises StoreError if the store is closed."""
        if self._closed:
            raise StoreError("the store is closed")
        return self._entries

    def _entry(self, run_id: str) -> _Entry:
        """Return what the store has of a run; raises UnknownRunError."""
        entry = self._open_entries().get(run_id)
        if entry is None:
            raise unknown_run(run_id)
        return entry

    def _fenced_entry(self, run_id: str, epoch: int) -> _Entry:
        """Return the entry of a run that a process with this ``epoch`` may write.

        Raises FencedError if the run was deleted or has another epoch.
        """
        entry = self._entries.get(run_id)
        if entry is None:
            raise fencing_error(run_id, epoch, None)
        if entry.run.epoch != epoch:
            raise fencing_error(run_id, epoch, entry.run.epoch, entry.run.owner)
        return entry
