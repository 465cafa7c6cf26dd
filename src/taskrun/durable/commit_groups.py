"""Commit groups: collect the writes of several journals and commit them in one transaction.

Rules: a store has one commit group per event loop. If a journal waits for a commit, the group commits at the next
iteration of the event loop, otherwise within NOTE_SECONDS. If the store refuses a write, only the journal of this write
breaks: it refuses all later writes.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING

from taskrun.core.journal import StepRecord
from taskrun.durable.records import RunChanges
from taskrun.durable.store import Store, Write
from taskrun.errors import StoreError

if TYPE_CHECKING:
    from taskrun.durable.journal import Journal

NOTE_SECONDS = 0.25
"""A record for whose commit nobody waits (``Journal.note``) is committed after at most this number of seconds."""


class Batch:
    """The writes of one journal that are not committed yet, and the asyncio futures of the tasks that wait for them."""

    __slots__ = ("changes", "journal", "records", "waiters")

    def __init__(self, journal: Journal) -> None:
        self.journal: Journal = journal
        self.records: list[StepRecord] = []
        self.changes: RunChanges | None = None
        self.waiters: list[asyncio.Future[None]] = []

    def settle(self, problem: StoreError | None) -> None:
        """End the waiting for the commit: ``problem`` is the error of the commit, None if it succeeded.

        With a problem, the waiting tasks get it as an exception, and the journal is broken.
        """
        if problem is not None:
            self.journal.problem = self.journal.problem or problem
        for waiter in self.waiters:
            if not waiter.done():  # else its task was cancelled
                if problem is None:
                    waiter.set_result(None)
                else:
                    waiter.set_exception(problem)


class CommitGroup:
    """Collects the writes of all journals that use one store in one event loop, and commits them in one transaction."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.open_journals = 0
        self.batches: list[Batch] = []
        self._handle: asyncio.Handle | None = None
        self._commits_soon = False

    @property
    def alone(self) -> bool:
        """Whether at most one journal of the group is open; then a commit need not wait for writes of others."""
        return self.open_journals <= 1

    def commit_soon(self) -> None:
        """Schedule a commit at the next iteration of the event loop, in place of a later one."""
        if not self._commits_soon:
            self._cancel_handle()
            self._handle = asyncio.get_running_loop().call_soon(self.commit)
            self._commits_soon = True

    def commit_later(self) -> None:
        """Schedule a commit in NOTE_SECONDS; do nothing if a commit is scheduled already."""
        if self._handle is None:
            self._handle = asyncio.get_running_loop().call_later(NOTE_SECONDS, self.commit)

    def commit(self) -> None:
        """Commit all collected writes now, before this returns, and wake the tasks that wait for them."""
        self._cancel_handle()
        batches, self.batches = self.batches, []
        if not batches:
            return
        writes = []
        for batch in batches:
            journal = batch.journal
            journal.batch = None
            writes.append(Write(journal.run_id, journal.epoch, batch.records, batch.changes))
        for batch, problem in zip(batches, write_all(self.store, writes), strict=True):
            batch.settle(problem)

    def _cancel_handle(self) -> None:
        """Cancel the scheduled commit, if there is one; the collected writes stay."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
            self._commits_soon = False


class CommitGroups:
    """The commit groups of one store, one for each event loop that uses it.

    ``here`` may be called in any thread. The group of an event loop that no longer exists is dropped.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._lock = threading.Lock()
        self._groups: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, CommitGroup] = weakref.WeakKeyDictionary()

    def here(self) -> CommitGroup:
        """Return the commit group of the running event loop; the first call in a loop creates it."""
        loop = asyncio.get_running_loop()
        with self._lock:
            return self._groups.setdefault(loop, CommitGroup(self.store))


def write_all(store: Store, writes: Sequence[Write]) -> list[StoreError | None]:
    """Perform the writes in one transaction; return for each write None, or the error that prevented its commit.

    Unlike ``Store.write_all`` it raises no exception. If the whole transaction fails, each write has its error. An
    unexpected exception of a third-party store becomes a StoreError, so that no task waits for ever.
    """
    try:
        return store.write_all(writes)
    except StoreError as error:
        return [error] * len(writes)
    except Exception as error:  # noqa: BLE001 - a third-party store
        broken = StoreError(f"the store failed: {type(error).__name__}: {error}", "this is a bug of the store")
        broken.__cause__ = error
        return [broken] * len(writes)
