"""Commit groups: collect the writes of several journals and commit them in one transaction.

Rules: a store has one commit group per event loop. A group commits at the next iteration of the event loop when a
journal waits for a commit, otherwise within NOTE_SECONDS. An error of a write breaks the journal that it belongs to.
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
"""The longest time in seconds until a noted record is committed."""


class Batch:
    """The uncommitted writes of one journal, and the futures that wait for their commit."""

    __slots__ = ("changes", "journal", "records", "waiters")

    def __init__(self, journal: Journal) -> None:
        self.journal: Journal = journal
        self.records: list[StepRecord] = []
        self.changes: RunChanges | None = None
        self.waiters: list[asyncio.Future[None]] = []

    def settle(self, problem: StoreError | None) -> None:
        """Complete the futures after the commit, with ``problem`` as their exception if it failed."""
        if problem is not None:
            self.journal.problem = self.journal.problem or problem
        for waiter in self.waiters:
            if not waiter.done():  # else its task was cancelled
                if problem is None:
                    waiter.set_result(None)
                else:
                    waiter.set_exception(problem)


class CommitGroup:
    """Collects the writes of the journals of one store in one event loop, and commits them in one transaction."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.open_journals = 0
        self.batches: list[Batch] = []
        self._handle: asyncio.Handle | None = None
        self._commits_soon = False

    @property
    def alone(self) -> bool:
        """Whether at most one journal is open, so that no other journal can share its commits."""
        return self.open_journals <= 1

    def commit_soon(self) -> None:
        """Schedule a commit at the next iteration of the event loop."""
        if not self._commits_soon:
            self._cancel_handle()
            self._handle = asyncio.get_running_loop().call_soon(self.commit)
            self._commits_soon = True

    def commit_later(self) -> None:
        """Schedule a commit in NOTE_SECONDS unless one is scheduled already."""
        if self._handle is None:
            self._handle = asyncio.get_running_loop().call_later(NOTE_SECONDS, self.commit)

    def commit(self) -> None:
        """Commit all collected writes and complete the futures that wait for them."""
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
        """Cancel the scheduled commit."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
            self._commits_soon = False


class CommitGroups:
    """The commit groups of one store, one per event loop; the group of a deleted event loop is dropped."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._lock = threading.Lock()
        self._groups: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, CommitGroup] = weakref.WeakKeyDictionary()

    def here(self) -> CommitGroup:
        """Return the group of the running event loop."""
        loop = asyncio.get_running_loop()
        with self._lock:
            return self._groups.setdefault(loop, CommitGroup(self.store))


def write_all(store: Store, writes: Sequence[Write]) -> list[StoreError | None]:
    """Write all; return one error or None per write.

    Any exception of a third-party store becomes a StoreError, so that no future waits for ever.
    """
    try:
        return store.write_all(writes)
    except StoreError as error:
        return [error] * len(writes)
    except Exception as error:  # noqa: BLE001 - a third-party store
        broken = StoreError(f"the store failed: {type(error).__name__}: {error}", "this is a bug of the store")
        broken.__cause__ = error
        return [broken] * len(writes)
