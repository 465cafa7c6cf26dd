"""Failures of a SQLite store during a run: each save raises an explained error, and commits are kept."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from taskrun.core.journal import StepRecord
from taskrun.core.states import RunState
from taskrun.durable.commit_groups import CommitGroup
from taskrun.durable.journal import Journal
from taskrun.durable.records import Owner, RunRecord
from taskrun.errors import StoreError
from taskrun.stores.sqlite import value_files
from taskrun.stores.sqlite.store import SqliteStore

LONG = "x" * 300_000


@contextmanager
def a_full_disk(store: SqliteStore) -> Iterator[None]:
    """Forbid the database to grow."""
    (pages,) = store._execute("PRAGMA page_count").fetchone()
    store._execute(f"PRAGMA max_page_count = {pages}")
    yield
    store._execute("PRAGMA max_page_count = 1000000")


@contextmanager
def a_disk_without_room_for_files(store: SqliteStore) -> Iterator[None]:
    """Make writes of value files fail."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(value_files.os, "fsync", full)
        yield


@contextmanager
def a_lock(store: SqliteStore) -> Iterator[None]:
    """Let another connection hold the write lock."""
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


@contextmanager
def a_deleted_file(store: SqliteStore) -> Iterator[None]:
    """Move the file away during the block."""
    store.path.rename(store.path.with_suffix(".bak"))
    yield
    store.path.with_suffix(".bak").rename(store.path)


@contextmanager
def a_file_that_may_not_be_written(store: SqliteStore) -> Iterator[None]:
    """Make SQLite report a read-only file."""
    store._execute("PRAGMA query_only = 1")
    yield
    store._execute("PRAGMA query_only = 0")


Trouble = Callable[[SqliteStore], "contextmanager[None]"]
TROUBLES = [
    (a_full_disk, "the disk is full", "make room"),
    (a_disk_without_room_for_files, "No space left on device", "check the disk"),
    (a_lock, "another process has locked it", "find the process that has it open"),
    (a_deleted_file, "was deleted, emptied or replaced by another file", "put the file back"),
    (a_file_that_may_not_be_written, "the file is read-only", "permissions of the file"),
]


def ready(path: Path) -> SqliteStore:
    """Return a store with two running runs."""
    store = SqliteStore(path, timeout=0.02)
    for run_id in ("r", "r2"):
        store.create(RunRecord(run_id=run_id, flow="f", state=RunState.RUNNING))
    return store


@pytest.mark.parametrize("how", ["save", "save_now", "note", "change"])
@pytest.mark.parametrize(("trouble", "problem", "hint"), TROUBLES, ids=lambda one: getattr(one, "__name__", ""))
def test_a_journal_whose_store_fails(tmp_path: Path, trouble: Trouble, problem: str, hint: str, how: str) -> None:
    """The write fails for all journals that share it; they stay broken afterwards, and earlier records are kept."""
    store = ready(tmp_path / "x.db")

    async def write(journal: Journal) -> None:
        record = StepRecord("lost", outputs=LONG + "1", note=LONG)
        if how == "save":
            await journal.save(record)
        elif how == "save_now":
            journal.save_now(record)
        elif how == "note":
            journal.note(record)
            journal.flush()
        else:
            await journal.change({"outputs": LONG + "2", "flags": frozenset({LONG})})

    async def run() -> None:
        group = CommitGroup(store)
        journal, other = (Journal(store, run_id, 1, group=group) for run_id in ("r", "r2"))
        await asyncio.gather(*(journal.save(StepRecord(name)) for name in "ab"), other.save(StepRecord("a")))
        journal.save_now(StepRecord("c"))
        with trouble(store):
            done = await asyncio.gather(
                write(journal), other.save(StepRecord("lost", note=LONG)), return_exceptions=True
            )
        assert isinstance(done[0], StoreError)
        assert problem in done[0].problem
        assert "x.db" in done[0].problem
        assert hint in done[0].hint
        assert journal.problem is done[0]
        assert type(other.problem) is type(done[1])
        for late in (journal.save(StepRecord("late")), journal.change({"outputs": "1"})):
            with pytest.raises(StoreError) as again:
                await late
            assert again.value is done[0]
        for call in (lambda: journal.note(StepRecord("late")), lambda: journal.save_now(StepRecord("late"))):
            with pytest.raises(StoreError) as again:
                call()
            assert again.value is done[0]
        journal.close()

    asyncio.run(run())
    store.close()
    again = SqliteStore(tmp_path / "x.db")
    deleted = trouble is a_deleted_file  # what is written before the file is missed is in the file
    assert [record.key for record in again.records("r") if not deleted or record.key != "lost"] == ["a", "b", "c"]
    assert again.load("r").outputs is None or deleted
    epoch = again.claim("r", Owner.here(), 1e12, 1)
    again.write("r", epoch, [StepRecord("resumed", outputs=LONG)])
    assert again._execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    again.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE steps SET state = 'SUCCEEDEX'",
        "UPDATE steps SET signal = 'NEXU'",
        "UPDATE steps SET error = '{'",
        "UPDATE steps SET error = '{}'",
        "UPDATE steps SET input_names = '['",
        "UPDATE steps SET key = CAST(x'ff' AS TEXT)",
        "UPDATE steps SET note = x'74ff'",
        "UPDATE steps SET outputs = x'66'",
        "DROP TABLE steps",
        "DROP TABLE places",
    ],
)
def test_damaged_step_records(tmp_path: Path, statement: str) -> None:
    """A changed bit inside a cell, which SQLite does not detect, raises StoreError."""
    store = ready(tmp_path / "x.db")
    store.write("r", 1, [StepRecord("a", outputs="1")])
    store._execute(statement)
    with pytest.raises(StoreError, match=r"x\.db") as caught:
        store.records("r")
    assert caught.value.hint
    store.close()


@pytest.mark.parametrize("statement", ["UPDATE runs SET state = 'RUNNINH'", "UPDATE runs SET flags = '['"])
def test_damaged_run_records(tmp_path: Path, statement: str) -> None:
    store = ready(tmp_path / "x.db")
    store._execute(statement)
    with pytest.raises(StoreError, match=r"x\.db: a record in it cannot be read: it is damaged .*\n.*restore a copy"):
        store.load("r")
    store.close()


@pytest.mark.parametrize("how", ["noise", "truncated", "emptied"])
def test_a_file_that_is_damaged_while_runs_use_it(tmp_path: Path, how: str) -> None:
    """Opening a damaged file raises StoreError; an open store notices if the file was emptied."""
    store = ready(tmp_path / "x.db")
    store.write("r", 1, [StepRecord(f"{index}", outputs="x" * 500) for index in range(2000)])
    store._execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = store.path.stat().st_size
    with store.path.open("r+b") as file:
        if how == "noise":
            file.seek(4096)
            file.write(b"\xa5" * (size - 4096))
        else:
            file.truncate(0 if how == "emptied" else 8192)
    if how == "emptied":  # what others read of it is in their memory
        for use in (lambda: store.records("r"), lambda: store.write("r", 1, [StepRecord("a")])):
            with pytest.raises(StoreError, match=r"x\.db was deleted, emptied.*\n.*put the file back"):
                use()
    else:
        other = SqliteStore(store.path)
        for use in (lambda: other.records("r"), lambda: other.write("r", 1, [StepRecord("a")])):
            with pytest.raises(StoreError, match=r"x\.db: the file is damaged.*\n.*restore a copy"):
                use()
        other.close()
    store.close()
