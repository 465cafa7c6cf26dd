"""Store: the protocol of a database in which runs are recorded, and the checks that all stores share.

Rules: the methods are ordinary functions, because a change of thread costs more than a commit. Every write carries the
epoch under which its process claimed the run. A write with an older epoch is refused with ``FencedError``, so that a
process that counted as dead does no harm when it continues. A method that raises StoreError has changed nothing; a
method that returns has committed. Several threads and several processes may use a store at the same time.
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
    """One write for one run: records of its steps, then changes of the run's own record.

    ``epoch`` is that of the claim of the process that writes.
    """

    run_id: str
    epoch: int
    records: Sequence[StepRecord] = ()
    changes: RunChanges | None = None


class Store(Protocol):
    """Protocol of a database of runs.

    All methods with a ``run_id`` raise UnknownRunError if there is no such run, unless they say otherwise. All methods
    raise StoreError if the database cannot be read or written.
    """

    def create(self, run: RunRecord) -> None:
        """Insert the record of a new run; raises StoreError if a run with its id exists."""

    def load(self, run_id: str) -> RunRecord:
        """Return the record of a run, without the records of its steps."""

    def records(self, run_id: str) -> list[StepRecord]:
        """Return the latest record for each record key of a run, in the order in which these were written."""

    def write(
        self, run_id: str, epoch: int, records: Sequence[StepRecord] = (), run_changes: RunChanges | None = None
    ) -> None:
        """Write records of steps and changes of one run in one transaction.

        A new record replaces the one with the same record key. Raises FencedError if the run was deleted, or claimed
        under a newer epoch, and TransitionError if its state cannot change to the new one. A change to a state in which
        the run is not active also removes its owner and its requests.
        """

    def write_all(self, writes: Sequence[Write]) -> list[StoreError | None]:
        """Perform the writes of several runs in one transaction.

        Returns for each write None, or the FencedError or TransitionError with which it was refused. A refused write
        changes nothing and does not affect the others. Raises StoreError if the database fails; then nothing is
        written.
        """

    def claim(self, run_id: str, owner: Owner, now: float, stale_after: float) -> int:
        """Make ``owner`` the owner of a run, and return its new epoch; ``now`` is the time in seconds since 1970.

        Raises RunOwnedError if the present owner may be alive: it is not known to be dead, and its last heartbeat is
        not older than ``stale_after`` seconds. Raises TransitionError if the run has ended for good, so that it cannot
        be resumed.
        """

    def heartbeat(self, run_id: str, epoch: int, now: float) -> None:
        """Renew the lease of a run: store the time ``now`` of the heartbeat.

        Raises FencedError if the run was deleted, or claimed under a newer epoch.
        """

    def request(self, run_id: str, kind: str) -> None:
        """Store a request for the owner of a run: ``cancel``, ``cancel-only`` (without rollback) or ``suspend``.

        If the same request is stored already, nothing changes.
        """

    def requests(self, run_id: str) -> tuple[str, ...]:
        """Return the requests for the owner of a run, the oldest first.

        Reading does not remove them: they stay until the run is not active any more.
        """

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

    def delete(self, run_id: str) -> None:
        """Delete a run and the runs that it called, in whatever state they are.

        To be sure that no process executes the run, claim it first. Later writes of an earlier owner raise FencedError.
        """

    def purge(self, before: float) -> int:
        """Delete the runs that ended before a time (seconds since 1970), and the runs that they called.

        Runs whose calling run stays are not deleted. Returns the number of deleted runs.
        """

    def close(self) -> None:
        """Close the files and connections of the store; every later call of another method raises StoreError."""


def unknown_run(run_id: str) -> UnknownRunError:
    """Return the exception to raise if the store has no run with this id."""
    return UnknownRunError(f"there is no run {run_id}", "'taskrun runs' lists them")


def fencing_error(run_id: str, epoch: int, present: int | None, owner: Owner | None = None) -> FencedError:
    """Return the exception to raise for a write whose ``epoch`` is not the present one of the run.

    ``present`` is the present epoch, None if the run was deleted. ``owner`` is the present owner, None if it has none.
    """
    if present is None:
        return FencedError(f"run {run_id} is not in the store any more: it was deleted while it ran")
    claimer = owner or "another process"
    return FencedError(
        f"run {run_id} was claimed by {claimer} (its epoch is {present} now, that of this process is {epoch})"
    )


def check_claim(run: RunSummary, now: float, stale_after: float) -> None:
    """Raise an exception if a run cannot be claimed.

    TransitionError: the run has ended for good. RunOwnedError: its owner may be alive, because it is not known to be
    dead and has sent a heartbeat in the last ``stale_after`` seconds.
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
    """Return the record of a run with the changes applied.

    Raises TransitionError if a run in its state cannot change to the new state.
    """
    derived: dict[str, str | None] = {}
    if "text" in changes:
        derived["sha256"] = sha256_of(changes["text"])
    if "state" in changes:
        run.state.check_transition(changes["state"], run.run_id)
        if not changes["state"].active:
            derived["owner"] = None
    return replace(run, **{**changes, **derived})  # type: ignore[arg-type]
