"""History: list, show and delete the runs in a store.

    history = History(open_store("sqlite:///runs.db"))
    history.runs(state="FAILED", limit=10)
    history.show(resolve_run_id(history.store, "3f9a")).steps      # "3f9a" is the beginning of the id

Rules: the methods read or delete runs; they never change or execute them. They are ordinary functions, like those of a
store, and may be called inside an event loop. Damaged records raise StoreError.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING

from taskrun.core.states import RunState
from taskrun.durable.heartbeat import STALE_AFTER
from taskrun.durable.records import Owner, RunSummary
from taskrun.durable.store import Store, check_claim, unknown_run
from taskrun.errors import RunOwnedError, StoreError, TransitionError, UnknownRunError, near_hint

if TYPE_CHECKING:
    from taskrun.durable.run_tree import RunDetails

_LISTED = 10
"""The error for an ambiguous beginning of an id lists at most this number of runs."""
_COMPARED = 1000
"""``resolve_run_id`` searches a similar id, for its error message, among this number of the newest runs."""


class History:
    """Lists, shows and deletes the runs in a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def store(self) -> Store:
        """The store of the runs."""
        return self._store

    def runs(
        self,
        state: RunState | str | None = None,
        flow: str | None = None,
        since: datetime | float | None = None,
        limit: int | None = None,
    ) -> list[RunSummary]:
        """Return summaries of runs, the newest first; each parameter that is not None restricts the list.

        Parameters:
            state: only runs in this state, such as ``"FAILED"``.
            flow: only runs of the flow with this name.
            since: only runs that were created at or after this time: a datetime, or seconds since 1970.
            limit: the maximum number of runs.

        Raises ValueError for an unknown state or a negative limit, StoreError if the store cannot be read.
        """
        if limit is not None and limit < 0:
            raise ValueError(f"limit={limit} is not a number of runs")
        selected = None if state is None else state_of(state)
        moment = since.timestamp() if isinstance(since, datetime) else since
        with _readable("the list of runs"):
            return self.store.runs(selected, flow, moment, limit)

    def show(self, run_id: str) -> RunDetails:
        """Return the record of a run with the tree of its steps; ``run_id`` is the complete id.

        Raises UnknownRunError if there is no such run, and StoreError if its records cannot be read.
        """
        from taskrun.durable.run_tree import RunDetails

        with _readable(f"run {run_id}"):
            return RunDetails.of(self.store.load(run_id), self.store.records(run_id))

    def delete(self, run_id: str) -> None:
        """Delete a run, in whatever state it is, and the runs that it called; ``run_id`` is the complete id.

        Raises UnknownRunError if there is no such run, and RunOwnedError, which names the owner, if a process executes
        it.
        """
        with _readable(f"run {run_id}"):
            with suppress(TransitionError):  # a run that has ended for good has no owner
                self.store.claim(run_id, Owner.here(), time.time(), STALE_AFTER)
            self.store.delete(run_id)

    def purge(self, older_than: float) -> int:
        """Delete the runs that ended more than ``older_than`` seconds ago, and the runs that they called.

        Returns the number of deleted runs. Suspended and active runs are not deleted. Raises ValueError for a negative
        time.

        >>> from taskrun.stores.memory import MemoryStore
        >>> History(MemoryStore()).purge(30 * 86400)
        0
        """
        if not 0 <= older_than < math.inf:
            raise ValueError(f"older_than={older_than} is not a number of seconds")
        return self.store.purge(time.time() - older_than)


def state_of(name: str) -> RunState:
    """Return the RunState with this name, which may be in upper or lower case.

    Raises ValueError, which suggests a similar name, if there is no such state.
    """
    try:
        return RunState(name.upper())
    except ValueError:
        hint = near_hint(name.upper(), RunState) or f"there are {', '.join(RunState)}"
        raise ValueError(f"there is no state '{name}'; {hint}") from None


def is_orphaned(run: RunSummary, now: float) -> bool:
    """Return whether a run is active although no living process executes it.

    That is so if it has no owner, or its owner is dead or has sent no heartbeat for ``STALE_AFTER`` seconds. ``now`` is
    the present time in seconds since 1970.
    """
    if not run.state.active:
        return False
    try:
        check_claim(run, now, STALE_AFTER)
    except RunOwnedError:
        return False
    return True


def resolve_run_id(store: Store, text: str) -> str:
    """Return the complete id of a run; ``text`` is this id or the beginning of it.

    Raises UnknownRunError, which suggests a similar id, if no id begins with ``text``. Raises StoreError, which lists
    the runs, if several ids do.
    """
    with suppress(UnknownRunError):
        store.requests(text)  # the cheapest query that raises for an unknown run
        return text
    with _readable("the list of runs"):
        runs = store.runs()
    matching = [run for run in runs if text and run.run_id.startswith(text)]
    if not matching:
        near = near_hint(text, {run.run_id[: len(text)] for run in runs[:_COMPARED]})
        problem = unknown_run(text)
        raise UnknownRunError(problem.problem, f"{near} {problem.hint}" if near else problem.hint)
    if len(matching) > 1:
        listed = "".join(f"\n    {run.run_id}  {run.flow}  {run.state}" for run in matching[:_LISTED])
        more = f"\n    and {len(matching) - _LISTED} more" if len(matching) > _LISTED else ""
        raise StoreError(f"the ids of {len(matching)} runs begin with '{text}':{listed}{more}", "give more characters")
    return matching[0].run_id


@contextmanager
def _readable(what: str) -> Iterator[None]:
    """Convert errors of the ``with`` block about malformed data, which ``what`` names, to StoreError.

    A file may be damaged in a way that SQLite does not notice; then only the conversion of its rows fails.
    """
    try:
        yield
    except (ValueError, KeyError, TypeError) as error:
        problem = f"{type(error).__name__}: {error}"
        raise StoreError(f"{what} cannot be read: it is damaged ({problem})", "restore a copy of the store") from error
