"""Journal: the records of a run, and its writes to the store, which are committed in groups.

    await journal.save(record)      committed when this returns
    journal.note(record)            committed with the next save, or within NOTE_SECONDS

Rules: all writes of one iteration of the event loop are one transaction, which the journals of a ``CommitGroup`` share,
so a hundred concurrent runs need one commit. Commits happen in the thread of the event loop, because a change of thread
costs more than a commit. The records of a run are written in the order of the calls. Cancelling a task that waits for a
commit does not discard its record. After a failed write the journal is broken: every later write raises the same error,
because a run that continued without records would repeat its work after a crash.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from taskrun.core.journal import StepRecord
from taskrun.durable.commit_groups import Batch, CommitGroup, write_all
from taskrun.durable.records import RunChanges
from taskrun.durable.store import Store, Write
from taskrun.errors import StoreError


class Journal:
    """The records of one run: those to replay, which exist already, and those that it writes.

    ``replayed`` are the records to replay, in the order of their last writes. ``epoch`` is that of the process's claim
    of the run. ``group`` is the commit group, by default one of its own. ``problem`` is the error that broke the
    journal.
    """

    def __init__(
        self,
        store: Store,
        run_id: str,
        epoch: int,
        replayed: Iterable[StepRecord] = (),
        group: CommitGroup | None = None,
    ) -> None:
        self.store = store
        self.run_id = run_id
        self.epoch = epoch
        self.problem: StoreError | None = None
        self.batch: Batch | None = None
        self.group: CommitGroup = group or CommitGroup(store)
        self.group.open_journals += 1
        self._closed = False
        self._replayed = {record.key: record for record in replayed}
        self._orders: dict[str, int] = {}
        self._inside: dict[str, dict[str, StepRecord]] = {}
        for record in self._replayed.values():
            self._index(record)

    @property
    def alone(self) -> bool:
        """Whether no other journal can share the commits of this one."""
        return self.group.alone

    @property
    def replays(self) -> bool:
        """Whether there are records to replay."""
        return bool(self._replayed)

    def recorded(self, key: str) -> StepRecord | None:
        """Return the record to replay that has this key, None if there is none."""
        return self._replayed.get(key)

    def order(self, key: str) -> int:
        """Return the rank of a record to replay by its last write: a negative number, as it precedes new records."""
        if not self._orders:
            self._orders = {each: index - len(self._replayed) for index, each in enumerate(self._replayed)}
        return self._orders[key]

    def inside(self, path: str) -> list[StepRecord]:
        """Return the records inside the step at ``path`` that a rollback needs, in the order of their last writes.

        These are the newest records, replayed or written, that have ``inputs`` or are of the kind ``undo``.
        """
        return list(self._inside.get(path, _NONE).values())

    async def save(self, record: StepRecord) -> None:
        """Write a record and return when it is committed; raises StoreError if the commit fails."""
        await self._schedule_commit(self._batch_with(record))

    def saved(self, record: StepRecord) -> asyncio.Future[None]:
        """Write a record and return a future that is done when the record is committed."""
        return self._schedule_commit(self._batch_with(record))

    def note(self, record: StepRecord) -> None:
        """Write a record with the next commit, at the latest in NOTE_SECONDS; it is lost if the process dies before.

        A failure of that commit breaks the journal and is raised by the next write.
        """
        self._batch_with(record)
        self.group.commit_later()

    async def change(self, changes: RunChanges) -> None:
        """Write changes of the run after all earlier writes, and return when they are committed."""
        batch = self._open_batch()
        batch.changes = changes
        self.batch = None  # later records belong to a later write
        await self._schedule_commit(batch)

    def change_soon(self, changes: RunChanges) -> None:
        """Write changes of the run with the next commit, at the latest in NOTE_SECONDS."""
        self._open_batch().changes = changes
        self.batch = None
        self.group.commit_later()

    def save_now(self, record: StepRecord) -> None:
        """Commit a record, and all earlier writes, before this returns; raises StoreError if the commit fails.

        Used while no other journal is open: the two iterations of the event loop that ``save`` takes cost as much as a
        commit.
        """
        if self.problem is not None:
            raise self.problem
        if self.group.batches:
            self._batch_with(record)
            self.flush()
            return
        self._index(record)
        (problem,) = write_all(self.store, (Write(self.run_id, self.epoch, (record,)),))
        if problem is not None:
            self.problem = problem
            raise problem

    def flush(self) -> None:
        """Commit all uncommitted writes before this returns.

        Raises StoreError if that fails or the journal is broken.
        """
        self.group.commit()
        if self.problem is not None:
            raise self.problem

    def close(self) -> None:
        """Commit all uncommitted writes and leave the group.

        A failure is stored in ``problem``. May be called twice.
        """
        if not self._closed:
            self._closed = True
            self.group.open_journals -= 1
            if self.batch is not None:
                self.group.commit()

    def _batch_with(self, record: StepRecord) -> Batch:
        """Add a record to the uncommitted writes and return them."""
        batch = self.batch or self._open_batch()
        batch.records.append(record)
        if record.inputs is not None or self._inside or record.kind == "undo":
            self._index(record)
        return batch

    def _index(self, record: StepRecord) -> None:
        """Add a record to the index of rollbacks.

        A record that no rollback needs removes the older record with its key.
        """
        key = record.key
        if record.inputs is not None or record.kind == "undo":
            for path in _enclosing(key):
                inside = self._inside.setdefault(path, {})
                inside.pop(key, None)  # the new record becomes the last one
                inside[key] = record
        elif self._inside:
            for path in _enclosing(key):
                records = self._inside.get(path)
                if records is not None:
                    records.pop(key, None)
                    if not records:  # a loop has any number of paths
                        del self._inside[path]

    def _open_batch(self) -> Batch:
        """Return the uncommitted writes of this journal; raises StoreError if the journal is broken."""
        if self.problem is not None:
            raise self.problem
        batch = self.batch
        if batch is None:
            batch = self.batch = Batch(self)
            self.group.batches.append(batch)
        return batch

    def _schedule_commit(self, batch: Batch) -> asyncio.Future[None]:
        """Schedule a commit and return a future that is done when the batch is committed."""
        self.group.commit_soon()
        waiter = asyncio.get_running_loop().create_future()
        batch.waiters.append(waiter)
        return waiter


_NONE: Mapping[str, StepRecord] = MappingProxyType({})


def _enclosing(key: str) -> Iterator[str]:
    """Yield the paths of the steps, branches and iterations that enclose the step with this key."""
    end = key.rfind("/")
    while end > 0:
        path = key[:end]
        yield path
        if path.endswith("]"):
            yield path[: path.rindex("[")]
        end = key.rfind("/", 0, end)
