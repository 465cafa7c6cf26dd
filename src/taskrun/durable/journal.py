"""How a run writes to its store: what is saved in one turn of the event loop is one transaction.

    await journal.save(record)      committed when this returns
    journal.note(record)            committed with the next one that is saved, or within NOTE_SECONDS

Rules: ``save`` returns when the record is committed, never before. There is no thread: a hop costs more than a commit.
All journals of one ``CommitGroup`` share the transaction, so a hundred runs at once pay for one commit; records of a run
are written in the order in which they came, whichever way. A waiter that is cancelled does not take its record back. A
journal whose write failed is broken: it says so at every later save, because a run that goes on without its records
would do things twice after a crash.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from taskrun.core.journal import StepRecord
from taskrun.durable.records import RunChanges
from taskrun.durable.store import Store, Write
from taskrun.errors import StoreError

NOTE_SECONDS = 0.25
"""How long a record that was noted waits, at most, for one to ride along with."""


class _Batch:
    """What one journal has saved since the last commit, and those who wait for it."""

    __slots__ = ("changes", "journal", "records", "waiters")

    def __init__(self, journal: Journal) -> None:
        self.journal: Journal = journal
        self.records: list[StepRecord] = []
        self.changes: RunChanges | None = None
        self.waiters: list[asyncio.Future[None]] = []

    def settle(self, problem: StoreError | None) -> None:
        """Tell everybody who waits how it ended."""
        if problem is not None:
            self.journal.problem = self.journal.problem or problem
        for waiter in self.waiters:
            if not waiter.done():  # else its task was cancelled
                if problem is None:
                    waiter.set_result(None)
                else:
                    waiter.set_exception(problem)


class CommitGroup:
    """Collects what the journals of one store save and commits it once in a turn of the loop; for one event loop."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.open_journals = 0
        self.batches: list[_Batch] = []
        self._handle: asyncio.Handle | None = None
        self._in_this_turn = False

    @property
    def alone(self) -> bool:
        """Whether one journal at most is open, so that there is nobody to share a transaction with."""
        return self.open_journals <= 1

    def commit_soon(self) -> None:
        """Commit when what can run in this turn of the loop has run."""
        if not self._in_this_turn:
            self._cancel_handle()
            self._handle = asyncio.get_running_loop().call_soon(self.commit)
            self._in_this_turn = True

    def commit_later(self) -> None:
        """Commit within NOTE_SECONDS."""
        if self._handle is None:
            self._handle = asyncio.get_running_loop().call_later(NOTE_SECONDS, self.commit)

    def commit(self) -> None:
        """Commit now what was saved so far; the journals learn what became of it."""
        self._cancel_handle()
        batches, self.batches = self.batches, []
        if not batches:
            return
        writes = []
        for batch in batches:
            journal = batch.journal
            journal.batch = None
            writes.append(Write(journal.run_id, journal.epoch, batch.records, batch.changes))
        for batch, problem in zip(batches, _written(self.store, writes), strict=True):
            batch.settle(problem)

    def _cancel_handle(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
            self._in_this_turn = False


class CommitGroups:
    """The groups of one store: one for each event loop that has runs in it, as long as the loop is there."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._lock = threading.Lock()
        self._groups: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, CommitGroup] = weakref.WeakKeyDictionary()

    def here(self) -> CommitGroup:
        """Return the group of the event loop that is running."""
        loop = asyncio.get_running_loop()
        with self._lock:
            return self._groups.setdefault(loop, CommitGroup(self.store))


class Journal:
    """The records of one run: those that it had when it was started again, and those that it saves.

    ``known`` are the records to recall, in the order of their last writes. Journals that are given the same ``group``
    share its transactions. ``problem`` is the failure that broke the journal.
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
        self.group: CommitGroup = group or CommitGroup(store)
        self.group.open_journals += 1
        self._closed = False
        self._known = {record.key: record for record in known}
        self._orders: dict[str, int] = {}
        self._inside: dict[str, dict[str, StepRecord]] = {}
        for record in self._known.values():
            self._remember(record)

    @property
    def alone(self) -> bool:
        """Whether nobody else may have something for the same commit."""
        return self.group.alone

    @property
    def replays(self) -> bool:
        """Whether there were records when the run was started again."""
        return bool(self._known)

    def recorded(self, key: str) -> StepRecord | None:
        """Return the record of that key that was there when the run was started again."""
        return self._known.get(key)

    def order(self, key: str) -> int:
        """Return where the last write of a recalled record stands among those of the others: a number below 0."""
        if not self._orders:
            self._orders = {known: place - len(self._known) for place, known in enumerate(self._known)}
        return self._orders[key]

    def inside(self, path: str) -> list[StepRecord]:
        """Return what there is to undo, and was undone, inside the step at ``path``, in the order of the last writes.

        These are the present records, recalled or saved since, that have inputs or are of the kind ``undo``.
        """
        return list(self._inside.get(path, _NONE).values())

    async def save(self, record: StepRecord) -> None:
        """Write a record down; it is committed when this returns. Raises the StoreError of the transaction."""
        await self._committed(self._batch_with(record))

    def saved(self, record: StepRecord) -> asyncio.Future[None]:
        """Write a record down as ``save`` does; the future is done when it is committed."""
        return self._committed(self._batch_with(record))

    def note(self, record: StepRecord) -> None:
        """Write a record down some time soon: with the next one that is saved, or within NOTE_SECONDS.

        For what may be lost when the process dies. A failure breaks the journal: it is raised by what comes next.
        """
        self._batch_with(record)
        self.group.commit_later()

    async def change(self, changes: RunChanges) -> None:
        """Change the run itself, after all that was saved before; committed when this returns."""
        batch = self._open_batch()
        batch.changes = changes
        self.batch = None  # what is saved from now on comes after the change
        await self._committed(batch)

    def change_soon(self, changes: RunChanges) -> None:
        """Change the run itself some time soon, as ``note`` writes records."""
        self._open_batch().changes = changes
        self.batch = None
        self.group.commit_later()

    def save_now(self, record: StepRecord) -> None:
        """Write a record down before this returns, with all that was saved before and waits.

        For a run that is alone on its loop: the two turns of the loop that ``save`` takes cost as much as the commit.
        """
        if self.problem is not None:
            raise self.problem
        if self.group.batches:
            self._batch_with(record)
            self.flush()
            return
        self._remember(record)
        (problem,) = _written(self.store, (Write(self.run_id, self.epoch, (record,)),))
        if problem is not None:
            self.problem = problem
            raise problem

    def flush(self) -> None:
        """Commit now, without a turn of the loop, what was saved and noted; raises StoreError when that fails, or did."""
        self.group.commit()
        if self.problem is not None:
            raise self.problem

    def close(self) -> None:
        """Commit what is still noted, and leave the group; ``problem`` says whether that failed. Closing twice is once."""
        if not self._closed:
            self._closed = True
            self.group.open_journals -= 1
            if self.batch is not None:
                self.group.commit()

    def _batch_with(self, record: StepRecord) -> _Batch:
        batch = self.batch or self._open_batch()
        batch.records.append(record)
        if record.inputs is not None or self._inside or record.kind == "undo":
            self._remember(record)
        return batch

    def _remember(self, record: StepRecord) -> None:
        key = record.key
        if record.inputs is not None or record.kind == "undo":
            for path in _around(key):
                inside = self._inside.setdefault(path, {})
                inside.pop(key, None)  # so that the new one is the last
                inside[key] = record
        elif self._inside:
            for path in _around(key):
                found = self._inside.get(path)
                if found is not None:
                    found.pop(key, None)
                    if not found:  # a loop goes through any number of paths
                        del self._inside[path]

    def _open_batch(self) -> _Batch:
        if self.problem is not None:
            raise self.problem
        batch = self.batch
        if batch is None:
            batch = self.batch = _Batch(self)
            self.group.batches.append(batch)
        return batch

    def _committed(self, batch: _Batch) -> asyncio.Future[None]:
        self.group.commit_soon()
        waiter = asyncio.get_running_loop().create_future()
        batch.waiters.append(waiter)
        return waiter


def _written(store: Store, writes: Sequence[Write]) -> list[StoreError | None]:
    """Write, and return what became of each write; nobody may wait for ever because a store, or a record, is none."""
    try:
        return store.write_all(writes)
    except StoreError as error:
        return [error] * len(writes)
    except Exception as error:  # noqa: BLE001  # a store of others
        broken = StoreError(f"the store failed: {type(error).__name__}: {error}", "this is a mistake in its program")
        broken.__cause__ = error
        return [broken] * len(writes)


_NONE: Mapping[str, StepRecord] = MappingProxyType({})


def _around(key: str) -> Iterator[str]:
    """Yield the paths of the steps, and of the branches and iterations, round the one with that key."""
    end = key.rfind("/")
    while end > 0:
        path = key[:end]
        yield path
        if path.endswith("]"):
            yield path[: path.rindex("[")]
        end = key.rfind("/", 0, end)
