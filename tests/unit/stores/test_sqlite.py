"""Tests that only apply to the SQLite store: file, schema, folder of long values, and their failures."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from taskrun.core.journal import StepRecord
from taskrun.core.states import RunState
from taskrun.durable.records import Owner, RunRecord
from taskrun.errors import FencedError, StoreError
from taskrun.stores.sqlite import log_end, schema, value_files
from taskrun.stores.sqlite.store import SqliteStore
from taskrun.stores.sqlite.writes import Write, apply_writes, prepare_writes

LONG = "x" * 300_000
NOBODY = 65534


def opened(path: Path) -> SqliteStore:
    """Return a store with a running run."""
    store = SqliteStore(path, timeout=0.05)
    store.create(RunRecord(run_id="r", flow="f", state=RunState.RUNNING))
    return store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A store with a running run."""
    store = opened(tmp_path / "x.db")
    yield store
    store.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other users can access, in a process that does not run as root."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        root = os.geteuid() == 0
        if root:
            os.chown(path, NOBODY, -1)
            os.seteuid(NOBODY)
        yield path
        path.chmod(0o700)
        if root:
            os.seteuid(0)


def test_a_file_that_others_open_at_the_same_time(tmp_path: Path) -> None:
    """The store retries switching on the write-ahead log, because SQLite does not wait for it."""
    path = tmp_path / "x.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    schema.migrate(other, "x.db")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="another process has locked it"):
        SqliteStore(path, timeout=0.05)
    timer = threading.Timer(0.1, other.execute, ["ROLLBACK"])
    timer.start()
    SqliteStore(path, timeout=30).close()
    timer.join()
    other.close()


def test_settings_of_the_connection(store: SqliteStore, tmp_path: Path) -> None:
    """The store uses a write-ahead log, syncs commits by default, and creates a private folder."""
    ask = lambda one, name: one._execute(f"PRAGMA {name}").fetchone()[0]  # noqa: E731
    assert (ask(store, "journal_mode"), ask(store, "synchronous"), ask(store, "busy_timeout")) == ("wal", 2, 50)
    other = SqliteStore(tmp_path / "new" / "er" / "y.db", synchronous="NORMAL")
    assert (ask(other, "synchronous"), ask(other, "busy_timeout")) == (1, 5000)
    assert (tmp_path / "new" / "er").stat().st_mode & 0o777 == 0o700
    other.close()


def test_a_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    SqliteStore("~/x.db").close()
    assert (tmp_path / "x.db").exists()


def test_a_long_value_is_a_file_until_its_run_is_deleted(store: SqliteStore, tmp_path: Path) -> None:
    """Equal long values share one file, which is removed with the last run that uses it."""
    files = tmp_path / "x.db.files"
    store.create(RunRecord(run_id="r2", flow="f", state=RunState.RUNNING, inputs=LONG))
    store.write("r", 1, [StepRecord("a", outputs=LONG), StepRecord("b", outputs=LONG)])
    store.write("r", 1, [StepRecord("c", outputs=LONG + "c")])
    assert len(list(files.iterdir())) == 2
    assert all(path.stat().st_mode & 0o77 == 0 for path in files.iterdir())
    assert (tmp_path / "x.db").stat().st_size < 200_000
    store.write("r", 1, [], {"state": RunState.SUCCEEDED, "ended": 5.0})
    assert store.purge(6.0) == 1
    assert [path.stat().st_size for path in files.iterdir()] == [300_000]
    assert store.load("r2").inputs == LONG
    (files / "new-old").touch()
    os.utime(files / "new-old", (1, 1))
    (files / "new-young").touch()
    store.delete("r2")
    assert [path.name for path in files.iterdir()] == ["new-young"]


def test_a_purge_between_the_file_and_its_transaction(store: SqliteStore) -> None:
    """A file that a purge removes before its row is committed is written again."""
    ready = prepare_writes([Write("r", 1, [StepRecord("a", outputs=LONG)])], store._files)
    store.purge(0.0)
    assert not list(store._files.folder.iterdir())
    with store._transaction():
        assert apply_writes(store._connection, store._log_end, ready) == [None]
    assert store.records("r")[0].outputs == LONG


def test_a_missing_or_damaged_value_file(store: SqliteStore) -> None:
    store.write("r", 1, [StepRecord("a", outputs=LONG)])
    (file,) = store._files.folder.iterdir()
    file.write_text(LONG[:-1] + "y")
    with pytest.raises(StoreError, match=r"is damaged.*\n.*restore the folder"):
        store.records("r")
    file.unlink()
    with pytest.raises(StoreError, match="is missing"):
        store.records("r")


def test_a_value_file_that_cannot_be_written(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a value file cannot be written, neither its transaction nor the file remains."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(value_files.os, "fsync", full)
    with pytest.raises(StoreError, match=r"x\.db: .*No space left on device"):
        store.write("r", 1, [StepRecord("a"), StepRecord("b", outputs=LONG)])
    monkeypatch.undo()
    assert store.records("r") == []
    assert not list(store._files.folder.iterdir())


def test_another_process_holds_the_lock(store: SqliteStore, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for records in ([StepRecord("a")], [StepRecord("a"), StepRecord("b")]):
        with pytest.raises(StoreError, match=r"x\.db: another process has locked it .*\n.*timeout=SECONDS"):
            store.write("r", 1, records)
    assert store.records("r") == []
    other.execute("ROLLBACK")
    other.close()
    store.write("r", 1, [StepRecord("a")])


def test_a_commit_that_fails(store: SqliteStore) -> None:
    """A limit on pages makes SQLite report a full disk."""
    (pages,) = store._execute("PRAGMA page_count").fetchone()
    store._execute(f"PRAGMA max_page_count = {pages + 3}")
    with pytest.raises(StoreError, match=r"the disk is full.*\n.*make room; what was committed before is safe"):
        store.write("r", 1, [StepRecord(str(index), outputs=LONG[:9999]) for index in range(50)])
    assert not store._connection.in_transaction
    assert store.records("r") == []
    count = 0
    with pytest.raises(StoreError, match="the disk is full"):  # noqa: PT012
        while True:
            store.write("r", 1, [StepRecord(str(count), outputs=LONG[:999])])
            count += 1
    assert len(store.records("r")) == count
    store._execute("PRAGMA max_page_count = 1000000")
    store.write("r", 1, [StepRecord("a")])


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_is_deleted_while_it_is_open(store: SqliteStore, tmp_path: Path, replaced: bool) -> None:
    """Every call raises StoreError, since its data would be lost."""
    for path in tmp_path.glob("x.db*"):
        path.unlink()
    if replaced:
        opened(tmp_path / "x.db").close()
    for call in (
        lambda: store.write("r", 1, [StepRecord("a")]),
        lambda: store.write("r", 1, [StepRecord("a"), StepRecord("b")]),
        lambda: store.heartbeat("r", 1, 1),
        lambda: store.load("r"),
        lambda: store.create(RunRecord(run_id="r3", flow="f")),
    ):
        with pytest.raises(
            StoreError, match=r"was deleted, emptied or replaced by another file.*\n.*put the file back"
        ):
            call()


def test_a_damaged_file(tmp_path: Path) -> None:
    opened(tmp_path / "x.db").close()
    data = bytearray((tmp_path / "x.db").read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    (tmp_path / "x.db").write_bytes(data)
    store = SqliteStore(tmp_path / "x.db")
    with pytest.raises(StoreError, match=r"the file is damaged.*\n.*restore a copy"):
        store.load("r")
    store.close()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("dear diary, " * 1000)
    with pytest.raises(StoreError, match=r"x\.db: the file is not a SQLite database"):
        SqliteStore(tmp_path / "x.db")
    assert (tmp_path / "x.db").read_text().startswith("dear diary")


def test_a_database_of_another_program(tmp_path: Path) -> None:
    for number, statement in enumerate(
        ("CREATE TABLE mine (x)", "PRAGMA user_version = 3", "PRAGMA application_id = 4")
    ):
        path = tmp_path / f"{number}.db"
        other = sqlite3.connect(path)
        other.execute(statement)
        other.close()
        before = path.read_bytes()
        with pytest.raises(StoreError, match="is a database of another program"):
            SqliteStore(path)
        assert path.read_bytes() == before


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    store = opened(tmp_path / "x.db")
    store._execute("PRAGMA user_version = 99")
    store.close()
    with pytest.raises(
        StoreError, match=r"newer taskrun: its schema is version 99, this one supports up to \d+\n.*update taskrun"
    ):
        SqliteStore(tmp_path / "x.db")


def test_a_folder_or_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"file/x\.db: "):
        SqliteStore(tmp_path / "file" / "x.db")
    with pytest.raises(StoreError, match="cannot be opened"):
        SqliteStore(tmp_path)


def test_a_folder_that_may_not_be_written(folder: Path) -> None:
    store = opened(folder / "x.db")
    folder.chmod(0o500)
    with pytest.raises(StoreError, match=r"x\.db\.files"):
        store.write("r", 1, [StepRecord("a", outputs=LONG)])
    with pytest.raises(StoreError, match=r"cannot be opened.*\n.*that the folder exists"):
        SqliteStore(folder / "y.db")
    with pytest.raises(StoreError, match=r"deeper/y\.db: .*Permission denied.*\n.*permissions of the folder"):
        SqliteStore(folder / "deeper" / "y.db")
    folder.chmod(0o700)
    store.close()


def test_a_file_that_may_not_be_written(folder: Path) -> None:
    opened(folder / "x.db").close()
    (folder / "x.db").chmod(0o400)
    store = SqliteStore(folder / "x.db")
    with pytest.raises(StoreError, match=r"x\.db: the file is read-only"):
        store.write("r", 1, [StepRecord("a")])
    assert store.load("r").run_id == "r"
    store.close()


def test_migrations_go_forward(tmp_path: Path) -> None:
    """A failed migration changes nothing; the following migrations are applied once."""
    store = opened(tmp_path / "x.db")
    bad = (*schema.MIGRATIONS, ("CREATE TABLE more (x)", "CREATE TABLE more (x)"))
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        schema.migrate(store._connection, "x.db", bad)
    assert store._execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
    good = (*schema.MIGRATIONS, ("CREATE TABLE more (x)",), ("INSERT INTO more VALUES (1)",))
    schema.migrate(store._connection, "x.db", good)
    schema.migrate(store._connection, "x.db", good)
    assert store._execute("SELECT * FROM more").fetchall() == [(1,)]
    assert store.load("r").run_id == "r"
    store.close()
    with pytest.raises(StoreError, match="newer"):
        SqliteStore(tmp_path / "x.db")


def test_many_open_a_new_database_at_once(tmp_path: Path) -> None:
    problems: list[BaseException] = []

    def use(path: Path, name: str) -> None:
        try:
            store = SqliteStore(path, timeout=30)
            store.create(RunRecord(run_id=name, flow="f"))
            store.close()
        except BaseException as problem:  # noqa: BLE001
            problems.append(problem)

    for turn in range(5):
        path = tmp_path / f"{turn}" / "x.db"
        threads = [threading.Thread(target=use, args=(path, f"r{number}")) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        store = SqliteStore(path)
        assert (len(store.runs()), problems) == (6, [])
        store.close()


def test_runs_share_the_blocks_of_the_log(store: SqliteStore, tmp_path: Path) -> None:
    """Records of several runs and processes alternate in the log; each run reads exactly its own."""
    names = ["r", "r1", "r2"]
    for name in names[1:]:
        store.create(RunRecord(run_id=name, flow="f", state=RunState.RUNNING))
    other = SqliteStore(tmp_path / "x.db", timeout=5)
    block = 2**schema.BLOCK_BITS
    expected = {name: [f"{name}.{index}" for index in range(block)] for name in names}
    for index in range(0, block, 512):
        for name in names:
            writer = other if index % 7 == 3 else store
            writer.write(name, 1, [StepRecord(key) for key in expected[name][index : index + 511]])
            writer.write(name, 1, [StepRecord(expected[name][index + 511])])
    assert store._execute("SELECT count(*) FROM places WHERE run > 0").fetchone() == (10,)
    assert {name: [record.key for record in other.records(name)] for name in names} == expected
    other.close()
    store.delete("r1")
    for name in ("r", "r2"):
        assert [record.key for record in store.records(name)] == expected[name]
    assert store._execute("SELECT count(*) FROM steps WHERE run > 0").fetchone() == (2 * block,)


def test_a_log_that_became_shorter(store: SqliteStore, tmp_path: Path) -> None:
    """A process that claims a run writes behind the rows of the former owner, though smaller ids are free again."""
    store.create(RunRecord(run_id="r2", flow="f", state=RunState.RUNNING))
    other = SqliteStore(tmp_path / "x.db")
    store.write("r", 1, [StepRecord("a")])
    other.write("r2", 1, [StepRecord("free")])
    other.write("r", 1, [StepRecord("b")])
    other.delete("r2")
    epoch = store.claim("r", Owner.here(), 1e12, 1)
    store.write("r", epoch, [StepRecord("c")])
    assert [record.key for record in store.records("r")] == ["a", "b", "c"]
    other.close()


@pytest.mark.parametrize("how", ["claimed", "deleted", "purged"])
@pytest.mark.parametrize("busy", [False, True])
def test_a_claim_invalidates_the_cached_log_end(store: SqliteStore, tmp_path: Path, how: str, busy: bool) -> None:
    """The fast path refuses an outdated epoch too, even after writes for other runs or deletions."""
    store.create(RunRecord(run_id="r2", flow="f", state=RunState.RUNNING))
    for index in range(3):
        store.write("r", 1, [StepRecord(f"{index}")])
        store.write("r2", 1, [StepRecord(f"{index}")])
    if how == "purged":
        store.write("r", 1, [], {"state": RunState.FAILED, "ended": 1.0})
        store.write("r", 1, [StepRecord("last")])
    other = SqliteStore(tmp_path / "x.db")
    if how == "claimed":
        assert other.claim("r", Owner.here(), 1e12, 1) == 2
    elif how == "deleted":
        other.delete("r")
    else:
        assert other.purge(2.0) == 1
    if busy:
        store.write("r2", 1, [StepRecord("a"), StepRecord("b")])
        store.write("r2", 1, [StepRecord("c")])
    with pytest.raises(FencedError):
        store.write("r", 1, [StepRecord("late")])
    store.write("r2", 1, [StepRecord("d")])
    assert [record.key for record in other.records("r2")] == ["0", "1", "2", *("abc" if busy else ""), "d"]
    if how == "claimed":
        assert [record.key for record in other.records("r")] == ["0", "1", "2"]
        other.write("r", 2, [StepRecord("mine")])
    other.close()


def test_the_cache_of_runs_is_bounded(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_end, "_MAX_RUNS", 5)
    for index in range(20):
        store.create(RunRecord(run_id=f"r{index}", flow="f", state=RunState.RUNNING))
        store.write(f"r{index}", 1, [StepRecord("a")])
        assert len(store._log_end.runs) <= 7
    for index in range(20):
        assert [record.key for record in store.records(f"r{index}")] == ["a"]


def test_ids_that_are_no_text(store: SqliteStore) -> None:
    with pytest.raises(StoreError, match="surrogates"):
        store.load("\ud800")


def test_loading_ten_thousand_records_is_quick(store: SqliteStore) -> None:
    store.write("r", 1, [StepRecord(f"main/loop[{index}]/call", outputs='{"RESULT":1}') for index in range(10_000)])
    started = time.perf_counter()
    assert len(store.records("r")) == 10_000
    assert time.perf_counter() - started < 1


def test_equal_texts_are_stored_once(store: SqliteStore) -> None:
    for index in range(5):
        store.create(RunRecord(run_id=f"r{index}", flow="f", text="<task/>"))
    assert store._execute("SELECT count(*) FROM texts").fetchone() == (2,)
