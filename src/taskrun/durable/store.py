"""What a store is: the place where runs are written down, so that another process can go on with them.

Rules: the calls are ordinary functions, because a thread hop costs more than a commit. Every write names the epoch
under which its writer claimed the run; an older one is refused (``FencedError``), so a process that was thought dead does no
harm when it wakes up. A call that raises StoreError has changed nothing; one that returns has committed. A store may be
used from several threads and by several processes at once.
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
    """What one run wants to have written: records of steps, then changes of the run itself."""

    run_id: str
    epoch: int
    records: Sequence[StepRecord] = ()
    changes: RunChanges | None = None


class Store(Protocol):
    """Where runs are recorded. Unknown runs raise UnknownRunError; all trouble of the medium raises StoreError."""

    def create(self, run: RunRecord) -> None:
        """Write down a new run; StoreError when its id is taken."""

    def load(self, run_id: str) -> RunRecord:
        """Return the run as it stands."""

    def records(self, run_id: str) -> list[StepRecord]:
        """Return all records of the run's steps in the order in which they were last written."""

    def write(
        self, run_id: str, epoch: int, records: Sequence[StepRecord] = (), run_changes: RunChanges | None = None
    ) -> None:
        """Write records and changes of one run in one transaction; a record replaces an older one of its key.

        Raises FencedError when the run was claimed since, or removed, and TransitionError when its state cannot change so. A
        change to a state that is not active gives up the run's owner and forgets what was requested of it.
        """

    def write_all(self, writes: Sequence[Write]) -> list[StoreError | None]:
        """Write for several runs in one transaction and return what became of each write.

        A write that is FencedError, or a TransitionError, is left out whole and does not harm the others; trouble of the
        medium is raised and nothing was written.
        """

    def claim(self, run_id: str, owner: Owner, now: float, stale_after: float) -> int:
        """Make ``owner`` the one who works on the run and return the new epoch.

        Raises RunOwnedError when the run has an owner that is not known to be dead and whose heartbeat is not older than
        ``stale_after`` seconds, TransitionError when the run is over for good.
        """

    def heartbeat(self, run_id: str, epoch: int, now: float) -> None:
        """Say that the owner of the run lives; FencedError when it is not the owner any more."""

    def request(self, run_id: str, kind: str) -> None:
        """Ask the owner of the run for something, such as ``cancel`` or ``suspend``; asking twice is asking once."""

    def requests(self, run_id: str) -> tuple[str, ...]:
        """Return what was asked for, in order."""

    def runs(
        self,
        state: RunState | None = None,
        flow: str | None = None,
        since: float | None = None,
        limit: int | None = None,
    ) -> list[RunSummary]:
        """Return the runs, newest first: those in a state, of a flow, created at or after a time, so many at most."""

    def delete(self, run_id: str) -> None:
        """Remove a run and the runs that it called; one who still works on it is FencedError. Claim it first."""

    def purge(self, before: float) -> int:
        """Remove the runs that ended before a time, with those that they called; return how many went."""

    def close(self) -> None:
        """Let go of what the store holds; a closed store raises StoreError."""


def unknown_run(run_id: str) -> UnknownRunError:
    """Return the error about a run that the store does not have."""
    return UnknownRunError(f"there is no run {run_id}", "'taskrun runs' lists them")


def fenced(run_id: str, epoch: int, present: int | None, owner: Owner | None = None) -> FencedError:
    """Return the error about a write of an older epoch than the present one, which is None for a removed run.

    ``owner`` is who has the run now; None when it was given up since.
    """
    if present is None:
        return FencedError(f"run {run_id} is not in the store any more: it was removed while it ran")
    who = owner or "another process"
    return FencedError(f"run {run_id} was taken over by {who} (epoch {epoch} is over, it is {present} now)")


def check_claim(run: RunSummary, now: float, stale_after: float) -> None:
    """Raise what forbids to claim a run: it is over (TransitionError) or has an owner who lives (RunOwnedError)."""
    if not TRANSITIONS[run.state]:
        raise TransitionError(f"run {run.run_id} is over: it is {run.state}")
    owner = run.owner
    last_sign = run.created if run.heartbeat is None else run.heartbeat
    if owner is not None and not owner.is_dead and now - last_sign <= stale_after:
        raise RunOwnedError(
            f"run {run.run_id} belongs to {owner}, which is at work on it", "wait for it, or cancel the run"
        )


def changed(run: RunRecord, changes: RunChanges) -> RunRecord:
    """Return a run with changes made to it; TransitionError when its state cannot change so."""
    more: dict[str, str | None] = {}
    if "text" in changes:
        more["sha256"] = sha256_of(changes["text"])
    if "state" in changes:
        run.state.check_transition(changes["state"], run.run_id)
        if not changes["state"].active:
            more["owner"] = None
    return replace(run, **{**changes, **more})  # type: ignore[arg-type]
