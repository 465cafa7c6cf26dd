"""What a store knows of runs: list them, show one, remove some.

    history = History(open_store("sqlite:///runs.db"))
    history.runs(state="FAILED", limit=10)
    history.show(resolve_run_id(history.store, "3f9a")).steps

Rules: nothing here changes a run, it is read or removed. Calls are ordinary functions, as those of a store are; they may
be made inside an event loop. What a store returns and cannot be understood is a StoreError.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from taskrun.core.states import RunState
from taskrun.durable.heartbeat import STALE_AFTER
from taskrun.durable.records import Owner, RunSummary
from taskrun.durable.run_tree import RunDetails
from taskrun.durable.store import Store, check_claim, unknown_run
from taskrun.errors import RunOwnedError, StoreError, TransitionError, UnknownRunError, near_hint

_LISTED = 10
"""How many runs an ambiguous beginning of an id lists."""
_COMPARED = 1000
"""Among how many runs, the newest, a near id is looked for."""


class History:
    """The runs in a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def store(self) -> Store:
        """Where the runs are recorded."""
        return self._store

    def runs(
        self,
        state: RunState | str | None = None,
        flow: str | None = None,
        since: datetime | float | None = None,
        limit: int | None = None,
    ) -> list[RunSummary]:
        """Return the runs, newest first.

        Parameters:
            state: only those in this state, such as ``"FAILED"``.
            flow: only those of the flow of this name.
            since: only those created at or after this time: a datetime, or seconds since 1970.
            limit: so many at most.

        Raises ValueError for a state that there is not or a negative limit, StoreError when the store is in trouble.
        """
        if limit is not None and limit < 0:
            raise ValueError(f"limit={limit}: it is a number of runs")
        wanted = None if state is None else state_of(state)
        moment = since.timestamp() if isinstance(since, datetime) else since
        with _understood("the list of runs"):
            return self.store.runs(wanted, flow, moment, limit)

    def show(self, run_id: str) -> RunDetails:
        """Return all that is known of a run, with the tree of its steps; raises UnknownRunError, StoreError."""
        with _understood(f"run {run_id}"):
            return RunDetails.of(self.store.load(run_id), self.store.records(run_id))

    def delete(self, run_id: str) -> None:
        """Remove a run, in whatever state, and the runs that it called.

        Raises RunOwnedError, which says who has it, while somebody works on it, and UnknownRunError.
        """
        with _understood(f"run {run_id}"):
            with suppress(TransitionError):  # it is over for good, so nobody can be at work on it
                self.store.claim(run_id, Owner.here(), time.time(), STALE_AFTER)
            self.store.delete(run_id)

    def purge(self, older_than: float) -> int:
        """Remove the runs that ended more than ``older_than`` seconds ago, with those that they called.

        Return how many went. Runs that are suspended, or at work, stay. Raises ValueError for a negative time.

        >>> from taskrun.stores.memory import MemoryStore
        >>> History(MemoryStore()).purge(30 * 86400)
        0
        """
        if not 0 <= older_than < math.inf:
            raise ValueError(f"older_than={older_than}: it is a number of seconds")
        return self.store.purge(time.time() - older_than)


def state_of(name: str) -> RunState:
    """Return the state of runs of that name, in capitals or not; ValueError with a near name when there is none."""
    try:
        return RunState(name.upper())
    except ValueError:
        hint = near_hint(name.upper(), RunState) or f"there are {', '.join(RunState)}"
        raise ValueError(f"there is no state '{name}'; {hint}") from None


def is_orphaned(run: RunSummary, now: float) -> bool:
    """Whether a run should be at work and its owner is dead, or was silent for longer than ``STALE_AFTER``."""
    if not run.state.active:
        return False
    try:
        check_claim(run, now, STALE_AFTER)
    except RunOwnedError:
        return False
    return True


def resolve_run_id(store: Store, text: str) -> str:
    """Return the id of the run that is meant: ``text`` is an id, or the beginning of exactly one.

    Raises UnknownRunError, with the near id if there is one, when none begins so, and StoreError that lists them when several
    do.
    """
    with suppress(UnknownRunError):
        store.requests(text)  # the least that can be asked of a run
        return text
    with _understood("the list of runs"):
        runs = store.runs()
    found = [run for run in runs if text and run.run_id.startswith(text)]
    if not found:
        near = near_hint(text, {run.run_id[: len(text)] for run in runs[:_COMPARED]})
        problem = unknown_run(text)
        raise UnknownRunError(problem.problem, f"{near} {problem.hint}" if near else problem.hint)
    if len(found) > 1:
        listed = "".join(f"\n    {run.run_id}  {run.flow}  {run.state}" for run in found[:_LISTED])
        more = f"\n    and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
        raise StoreError(f"the ids of {len(found)} runs begin with '{text}':{listed}{more}", "give more of it")
    return found[0].run_id


@contextmanager
def _understood(what: str) -> Iterator[None]:
    """Say that a store returned what is no record: a file may be damaged where SQLite does not notice."""
    try:
        yield
    except (ValueError, KeyError, TypeError) as error:
        problem = f"{type(error).__name__}: {error}"
        raise StoreError(f"{what} cannot be read: it is damaged ({problem})", "restore a copy of the store") from error
