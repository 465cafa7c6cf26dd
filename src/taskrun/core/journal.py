"""How a run writes to its store: what is saved in one turn of the event loop is one transaction.

Rules: ``save`` returns when the record is committed, never before. There is no thread: a hop costs more than a commit.
All journals of one ``CommitGroup`` share the transaction, so a hundred runs at once pay for one commit. A waiter that is
cancelled does not take its record back. A journal whose write failed is broken: it says so at every later save, because
a run that goes on without its records would do things twice after a crash.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from taskrun.core.records import RunChanges, StepRecord
from taskrun.core.store import Store, Write
from taskrun.errors import StoreError


class _Batch:
    """What one journal has saved since the last commit, and those who wait for it."""

    __slots__ = ("changes", "journal", "records", "waiters")

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.records: list[StepRecord] = []
        self.changes: RunChanges | None = None
        self.waiters: list[asyncio.Future[None]] = []

    def settle(self, problem: StoreError | None) -> None:
        """Tell everybody who waits how it ended."""
        if problem is not None:
            self.journal.problem = self.journal.problem or problem
        for waiter in self.waiters:
            if waiter.done():  # its task was cancelled
                continue
            if problem is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(problem)


class CommitGroup:
    """Collects what the journals of one store save and commits it once in a turn of the loop; for one event loop."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._batches: list[_Batch] = []
        self._handle: asyncio.Handle | None = None

    def add(self, batch: _Batch) -> None:
        """Take a batch into the next transaction; it may still grow."""
        self._batches.append(batch)
        if self._handle is None:
            self._handle = asyncio.get_running_loop().call_soon(self.commit)

    def commit(self) -> None:
        """Commit now what was saved so far; the journals learn what became of it."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        batches, self._batches = self._batches, []
        if not batches:
            return
        outcome: list[StoreError | None]
        writes = []
        for batch in batches:
            journal = batch.journal
            journal.batch = None
            writes.append(Write(journal.run_id, journal.epoch, batch.records, batch.changes))
        try:
            outcome = self.store.write_all(writes)
        except StoreError as error:
            outcome = [error] * len(batches)
        for batch, problem in zip(batches, outcome, strict=True):
            batch.settle(problem)


class Journal:
    """The records of one run: those that it had when it was started again, and those that it saves.

    ``known`` are the records to recall. Journals that are given the same ``group`` share its transactions.
    """

    def __init__(
        self,
        store: Store,
        run_id: str,
        epoch: int,
        known: Iterable[StepRecord] = (),
        group: CommitGroup | None = None,
    ) -> None:
        self.store = store
        self.run_id = run_id
        self.epoch = epoch
        self.problem: StoreError | None = None
        self.batch: _Batch | None = None
        self._known = {record.key: record for record in known}
        self._group = group or CommitGroup(store)

    def known(self, key: str) -> StepRecord | None:
        """Return the record of that key that was there when the run was started again."""
        return self._known.get(key)

    async def save(self, record: StepRecord) -> None:
        """Write a record down; it is committed when this returns. Raises the StoreError of the transaction."""
        batch = self._open_batch()
        batch.records.append(record)
        await self._committed(batch)

    async def change(self, changes: RunChanges) -> None:
        """Change the run itself, after all that was saved before; committed when this returns."""
        batch = self._open_batch()
        batch.changes = changes
        self.batch = None  # what is saved from now on comes after the change
        await self._committed(batch)

    def save_now(self, record: StepRecord) -> None:
        """Write a record down before this returns, in a transaction of its own after all that was saved before.

        For a run that is alone on its loop: the two turns of the loop that ``save`` takes cost as much as the commit.
        """
        self.flush()
        problem: StoreError | None
        try:
            (problem,) = self.store.write_all((Write(self.run_id, self.epoch, (record,)),))
        except StoreError as error:
            problem = error
        if problem is not None:
            self.problem = problem
            raise problem

    def flush(self) -> None:
        """Commit now, without a turn of the loop, what was saved so far; raises StoreError when that fails, or did."""
        self._group.commit()
        if self.problem is not None:
            raise self.problem

    def _open_batch(self) -> _Batch:
        if self.problem is not None:
            raise self.problem
        batch = self.batch
        if batch is None:
            batch = self.batch = _Batch(self)
            self._group.add(batch)
        return batch

    def _committed(self, batch: _Batch) -> asyncio.Future[None]:
        waiter = asyncio.get_running_loop().create_future()
        batch.waiters.append(waiter)
        return waiter
