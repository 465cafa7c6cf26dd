"""Journal: the records of a run, and its writes to the store, which are committed in groups.

    await journal.save(record)      committed when this returns
    journal.note(record)            committed with the next save, or within NOTE_SECONDS

Rules: all writes of one iteration of the event loop are one transaction, which the journals of a ``CommitGroup`` share.
So a hundred concurrent runs need one commit. Commits happen in the thread of the event loop, because a change of thread
costs more than a commit. The records of a run are written in the order of the calls. If a task is cancelled while it
waits for a commit, its record is written all the same. After a failed write the journal is broken: every later write
raises the same error. A run that continued without records would repeat its work after a crash.
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
    """The records of one run: those of an earlier execution, to replay, and those that this execution writes.

    ``epoch`` is that of the process's claim of the run. ``replayed`` are the records to replay, in the order of their
    last writes. ``group`` is the commit group (default: a group for this journal alone). ``problem`` is the error that
    broke the journal, None while it can write.
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
        """Whether no other journal of the commit group is open, so that waiting for writes of others is useless."""
        return self.group.alone

    @property
    def replays(self) -> bool:
        """Whether there are records of an earlier execution to replay."""
        return bool(self._replayed)

    def recorded(self, key: str) -> StepRecord | None:
        """Return the record with this record key from an earlier execution, None if there is none."""
        return self._replayed.get(key)

    def order(self, key: str) -> int:
        """Return the position of a replayed record in the order of the last writes; ``key`` is its record key.

        It is negative, because replayed records are older than those of this execution.
        """
        if not self._orders:
            self._orders = {each: index - len(self._replayed) for index, each in enumerate(self._replayed)}
        return self._orders[key]

    def inside(self, path: str) -> list[StepRecord]:
        """Return the records that a rollback of the step at ``path`` needs, in the order of their last writes.

        These are the newest records inside the step, replayed or new, that have ``inputs`` or are of the kind ``undo``
        (rollbacks).
        """
        return list(self._inside.get(path, _NONE).values())

    async def save(self, record: StepRecord) -> None:
        """Write a record and return when it is committed; raises StoreError if the commit fails."""
        await self._schedule_commit(self._batch_with(record))

    def saved(self, record: StepRecord) -> asyncio.Future[None]:
        """Write a record without waiting, and return a future that is done when the record is committed."""
        return self._schedule_commit(self._batch_with(record))

    def note(self, record: StepRecord) -> None:
        """Write a record without waiting: it is committed with the next commit, at the latest after NOTE_SECONDS.

        It is lost if the process dies before. If the commit fails, the journal is broken, and the next write raises the
        error.
        """
        self._batch_with(record)
        self.group.commit_later()

    async def change(self, changes: RunChanges) -> None:
        """Write changes of the run's own record, after all earlier writes, and wait until they are committed."""
        batch = self._open_batch()
        batch.changes = changes
        self.batch = None  # later records belong to a later write
        await self._schedule_commit(batch)

    def change_soon(self, changes: RunChanges) -> None:
        """Write changes of the run's own record without waiting; they are committed within NOTE_SECONDS."""
        self._open_batch().changes = changes
        self.batch = None
        self.group.commit_later()

    def save_now(self, record: StepRecord) -> None:
        """Commit a record, and all earlier writes, before this returns; raises StoreError if the commit fails.

        It is used while no other journal is open. Then ``save`` would be slower for nothing: its two iterations of the
        event loop cost as much as a commit.
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
        """Commit all uncommitted writes of the commit group before this returns.

        Raises StoreError if this journal is broken.
        """
        self.group.commit()
        if self.problem is not None:
            raise self.problem

    def close(self) -> None:
        """Commit the uncommitted writes, and leave the commit group; further calls do nothing.

        If the commit fails, the error is stored in ``problem``, not raised.
        """
        if not self._closed:
            self._closed = True
            self.group.open_journals -= 1
            if self.batch is not None:
                self.group.commit()

    def _batch_with(self, record: StepRecord) -> Batch:
        """Add a record to the uncommitted writes of this journal, and return these."""
        batch = self.batch or self._open_batch()
        batch.records.append(record)
        if record.inputs is not None or self._inside or record.kind == "undo":
            self._index(record)
        return batch

    def _index(self, record: StepRecord) -> None:
        """Enter a record in the index of the records that rollbacks need, under the paths of all steps that enclose it.

        A record that no rollback needs is not entered; it removes the older record with the same record key.
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
        """Return the uncommitted writes of this journal, or a new Batch; raises StoreError if the journal is broken."""
        if self.problem is not None:
            raise self.problem
        batch = self.batch
        if batch is None:
            batch = self.batch = Batch(self)
            self.group.batches.append(batch)
        return batch

    def _schedule_commit(self, batch: Batch) -> asyncio.Future[None]:
        """Schedule a commit soon, and return a future that is done when ``batch`` is committed."""
        self.group.commit_soon()
        waiter = asyncio.get_running_loop().create_future()
        batch.waiters.append(waiter)
        return waiter


_NONE: Mapping[str, StepRecord] = MappingProxyType({})


def _enclosing(key: str) -> Iterator[str]:
    """Yield the paths of the steps, branches and iterations that enclose the step at a path, the innermost first."""
    end = key.rfind("/")
    while end > 0:
        path = key[:end]
        yield path
        if path.endswith("]"):
            yield path[: path.rindex("[")]
        end = key.rfind("/", 0, end)
