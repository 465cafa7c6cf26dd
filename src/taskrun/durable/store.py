"""Store: the interface of a database in which runs are recorded, and the checks that all stores share.

Rules: the methods are ordinary functions, because a change of thread costs more than a commit. Every write has the
epoch of its process's claim of the run. A write with an older epoch is refused with ``FencedError``, so that a process
that counted as dead does no harm when it continues. A method that raises StoreError has changed nothing; a method that
returns has committed. Several threads and several processes may use a store at the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from taskrun.core.journal import StepRecord
from taskrun.core.states import TRANSITIONS, RunState
from taskrun.durable.records import Owner, RunChanges, RunRecord, RunSummary, sha256_of
from taskrun.errors import FencedError, RunOwnedError, StoreError, TransitionError, UnknownRunError


class Write(NamedTuple):
    """One write of one run: records of steps, then changes of the run itself."""

    run_id: str
    epoch: int
    records: Sequence[StepRecord] = ()
    changes: RunChanges | None = None


class Store(Protocol):
    """A database of runs.

    All methods raise UnknownRunError for an unknown run, and StoreError when the database cannot be read or written.
    """

    def create(self, run: RunRecord) -> None:
        """Insert a new run; raises StoreError if there is a run with its id."""

    def load(self, run_id: str) -> RunRecord:
        """Return the record of a run."""

    def records(self, run_id: str) -> list[StepRecord]:
        """Return all step records of a run in the order of their last writes."""

    def write(
        self, run_id: str, epoch: int, records: Sequence[StepRecord] = (), run_changes: RunChanges | None = None
    ) -> None:
        """Write records and changes of one run in one transaction; a record replaces the older record with its key.

        Raises FencedError if the run was claimed under a newer epoch or deleted, and TransitionError if its state
        cannot change to the given one. A change to a state that is not active removes the owner and the requests of the
        run.
        """

    def write_all(self, writes: Sequence[Write]) -> list[StoreError | None]:
        """Write for several runs in one transaction; return one error or None per write.

        A write that is refused with FencedError or TransitionError changes nothing and does not affect the others.
        Raises StoreError if the database fails; then nothing is written.
        """

    def claim(self, run_id: str, owner: Owner, now: float, stale_after: float) -> int:
        """Make ``owner`` the owner of a run and return the new epoch; ``now`` is the time in seconds since 1970.

        Raises RunOwnedError if the run has an owner that is not known to be dead and whose heartbeat is not older than
        ``stale_after`` seconds, and TransitionError if the run has ended and cannot be resumed.
        """

    def heartbeat(self, run_id: str, epoch: int, now: float) -> None:
        """Renew the lease of a run; raises FencedError if the run was claimed under a newer epoch or deleted."""

    def request(self, run_id: str, kind: str) -> None:
        """Store a request to a run, such as ``cancel`` or ``suspend``.

        A request that exists already is not repeated.
        """

    def requests(self, run_id: str) -> tuple[str, ...]:
        """Return the requests to a run, the oldest first."""

    def runs(
        self,
        state: RunState | None = None,
        flow: str | None = None,
        since: float | None = None,
        limit: int | None = None,
    ) -> list[RunSummary]:
        """Return runs, the newest first: those in ``state``, of ``flow``, created at or after ``since``.

        ``limit`` is the maximum number of runs.
        """

    def delete(self, run_id: str) -> None:
        """Delete a run and the runs that it called.

        Later writes of its owner raise FencedError. Claim the run first.
        """

    def purge(self, before: float) -> int:
        """Delete the runs that ended before a time, and the runs that they called.

        Returns the number of deleted runs.
        """

    def close(self) -> None:
        """Close the files and connections of the store; all other methods raise StoreError afterwards."""


def unknown_run(run_id: str) -> UnknownRunError:
    """Return the error for a run id that the store does not have."""
    return UnknownRunError(f"there is no run {run_id}", "'taskrun runs' lists them")


def fencing_error(run_id: str, epoch: int, present: int | None, owner: Owner | None = None) -> FencedError:
    """Return the error for a write with an older epoch than the present one.

    ``present`` is None for a deleted run. ``owner`` is the owner of the run now, None if it has none any more.
    """
    if present is None:
        return FencedError(f"run {run_id} is not in the store any more: it was deleted while it ran")
    claimer = owner or "another process"
    return FencedError(
        f"run {run_id} was claimed by {claimer} (its epoch is {present} now, that of this process is {epoch})"
    )


def check_claim(run: RunSummary, now: float, stale_after: float) -> None:
    """Raise TransitionError or RunOwnedError if a run cannot be claimed.

    The first for a run that has ended for good, the second for one whose owner is alive. ``stale_after`` are the
    seconds without a heartbeat after which an owner whose process cannot be checked counts as dead.
    """
    if not TRANSITIONS[run.state]:
        raise TransitionError(f"run {run.run_id} is over: it is {run.state}")
    owner = run.owner
    last_sign = run.created if run.heartbeat is None else run.heartbeat
    if owner is not None and not owner.is_dead and now - last_sign <= stale_after:
        raise RunOwnedError(
            f"run {run.run_id} is owned by {owner}, which executes it", "wait for its end, or cancel the run"
        )


def with_changes(run: RunRecord, changes: RunChanges) -> RunRecord:
    """Return a run with the changes applied; raises TransitionError if its state cannot change to the given one."""
    derived: dict[str, str | None] = {}
    if "text" in changes:
        derived["sha256"] = sha256_of(changes["text"])
    if "state" in changes:
        run.state.check_transition(changes["state"], run.run_id)
        if not changes["state"].active:
            derived["owner"] = None
    return replace(run, **{**changes, **derived})  # type: ignore[arg-type]
