"""A store in one SQLite file, in write-ahead-log mode, with a folder of long values beside it.

Rules: transactions are opened and ended by hand; each begins as a writing one, so none has to be repeated. What checks
the epoch is the statement that writes. A commit counts only when the file is still the one that was opened. See
``schema`` for the tables, ``rows`` for how records become cells, ``trouble`` for what errors mean.
"""

# ruff: noqa: S608  # what is put into statements are constants: lists of columns, and question marks

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from taskrun.core.journal import StepRecord
from taskrun.core.states import RunState
from taskrun.durable.records import Owner, RunChanges, RunRecord, RunSummary
from taskrun.durable.store import Write, check_claim, unknown_run
from taskrun.errors import StoreError
from taskrun.stores.sqlite.blobs import ValueFiles
from taskrun.stores.sqlite.delete import purge, remove
from taskrun.stores.sqlite.errors import STORE_TROUBLE, damaged, explained, store_error
from taskrun.stores.sqlite.log_tail import Tail, fence
from taskrun.stores.sqlite.rows import LONG_COLUMNS, SUMMARY_COLUMNS, cell, run_of, run_row, step_of, summary_of
from taskrun.stores.sqlite.schema import migrate
from taskrun.stores.sqlite.writes import READ_STEPS, Spilled, append, ready_writes, refused, write_ready

Synchronous = Literal["FULL", "NORMAL"]


class SqliteStore:
    """Runs in the SQLite file ``path``; its folder is made. ``timeout`` is how long to wait for another writer."""

    def __init__(self, path: Path | str, *, synchronous: Synchronous = "FULL", timeout: float = 5.0) -> None:
        self.path = Path(path).expanduser().absolute()
        self._name = str(self.path)
        self._files = ValueFiles(self.path.with_name(self.path.name + ".files"))
        self._lock = threading.RLock()
        self._tail = Tail()
        with explained(self.path):
            # what is recorded may be private, so a folder of our own is for its owner only
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                self.path, timeout=timeout, isolation_level=None, check_same_thread=False
            )
            self._execute = self._connection.execute
            try:
                self._prepare(synchronous, timeout)
            except BaseException:
                self._connection.close()
                raise

    def _prepare(self, synchronous: Synchronous, timeout: float) -> None:
        migrate(self._connection, str(self.path))
        self._execute(f"PRAGMA synchronous = {synchronous}")
        deadline = time.monotonic() + timeout
        while self._execute("PRAGMA journal_mode").fetchone() != ("wal",):
            try:  # SQLite does not wait by itself for those who open the file at the same time
                self._execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        self._identity = self._identity_now()

    def create(self, run: RunRecord) -> None:
        """See Store."""
        with self._lock, explained(self.path):
            files = Spilled(self._files)
            row = run_row(run, files.spill)
            with self._transaction():
                if self._execute("SELECT 1 FROM runs WHERE run_id = ?", (run.run_id,)).fetchone():
                    raise StoreError(f"there is a run {run.run_id} already", "leave the choice of an id to taskrun")
                places = ", ".join("?" * len(row))
                self._execute(f"INSERT INTO runs ({SUMMARY_COLUMNS}, {LONG_COLUMNS}) VALUES ({places})", row)
                self._execute("INSERT OR IGNORE INTO texts VALUES (?, ?)", (run.sha256, cell(run.text)))
                files.keep(self._connection, self._number(run.run_id))

    def load(self, run_id: str) -> RunRecord:
        """See Store."""
        with self._reading():
            row = self._execute(
                f"SELECT {SUMMARY_COLUMNS}, {LONG_COLUMNS}, text FROM runs JOIN texts USING (sha256) WHERE run_id = ?",
                (run_id,),
            ).fetchone()
            if row is None:
                raise unknown_run(run_id)
            return run_of(row, self._files.load)

    def records(self, run_id: str) -> list[StepRecord]:
        """See Store."""
        with self._reading():
            last: dict[str | bytes, Any] = {}
            for row in self._execute(READ_STEPS, (self._number(run_id),)):
                last.pop(row[0], None)  # a later row of a key takes the place of the earlier one, at the end
                last[row[0]] = row
            return [step_of(row, self._files.load) for row in last.values()]

    def write(
        self, run_id: str, epoch: int, records: Sequence[StepRecord] = (), run_changes: RunChanges | None = None
    ) -> None:
        """See Store."""
        for problem in self.write_all((Write(run_id, epoch, records, run_changes),)):
            if problem is not None:
                raise problem

    def write_all(self, writes: Sequence[Write]) -> list[StoreError | None]:
        """See Store."""
        with self._lock:
            try:
                if len(writes) == 1 and append(self._connection, self._tail, writes[0]):
                    self._check_file()
                    return [None]
                ready = ready_writes(writes, self._files)
                with self._transaction():
                    return write_ready(self._connection, self._tail, ready)
            except BaseException as error:
                self._tail.forget()  # it may be ahead of what was committed
                if isinstance(error, STORE_TROUBLE):
                    raise store_error(error, self.path) from error
                raise

    def claim(self, run_id: str, owner: Owner, now: float, stale_after: float) -> int:
        """See Store."""
        with self._lock, explained(self.path), self._transaction():
            row = self._execute(f"SELECT {SUMMARY_COLUMNS} FROM runs WHERE run_id = ?", (run_id,)).fetchone()
            if row is None:
                raise unknown_run(run_id)
            run = summary_of(row, self._files.load)
            check_claim(run, now, stale_after)
            fence(self._connection)
            self._execute(
                "UPDATE runs SET epoch = ?, heartbeat = ?, owner_host = ?, owner_pid = ?, owner_token = ?"
                " WHERE run_id = ?",
                (run.epoch + 1, now, owner.host, owner.pid, owner.token, run_id),
            )
            return run.epoch + 1

    def heartbeat(self, run_id: str, epoch: int, now: float) -> None:
        """See Store."""
        with self._lock, explained(self.path):
            done = self._execute("UPDATE runs SET heartbeat = ? WHERE run_id = ? AND epoch = ?", (now, run_id, epoch))
            self._check_file()
            if not done.rowcount:
                raise refused(self._connection, run_id, epoch)

    def request(self, run_id: str, kind: str) -> None:
        """See Store."""
        with self._lock, explained(self.path), self._transaction():
            self._execute(
                "INSERT OR IGNORE INTO requests (run, kind) VALUES (?, ?)", (self._number(run_id), cell(kind))
            )

    def requests(self, run_id: str) -> tuple[str, ...]:
        """See Store."""
        with self._reading():
            rows = self._execute("SELECT kind FROM requests WHERE run = ? ORDER BY id", (self._number(run_id),))
            return tuple(kind for (kind,) in rows)

    def runs(
        self,
        state: RunState | None = None,
        flow: str | None = None,
        since: float | None = None,
        limit: int | None = None,
    ) -> list[RunSummary]:
        """See Store."""
        asked: dict[str, Any] = {
            "state = ?": None if state is None else state.value,
            "flow = ?": cell(flow),
            "created >= ?": since,
        }
        asked = {condition: value for condition, value in asked.items() if value is not None}
        where = " AND ".join(asked) or "1"
        with self._reading():
            rows = self._execute(
                f"SELECT {SUMMARY_COLUMNS} FROM runs WHERE {where} ORDER BY created DESC, id DESC LIMIT ?",
                (*asked.values(), -1 if limit is None else limit),
            ).fetchall()
            return [summary_of(row, self._files.load) for row in rows]

    def delete(self, run_id: str) -> None:
        """See Store."""
        with self._lock, explained(self.path):
            with self._transaction():
                remove(self._connection, [self._number(run_id)])
            self._sweep()

    def purge(self, before: float) -> int:
        """See Store."""
        with self._lock, explained(self.path):
            with self._transaction():
                count = purge(self._connection, before)
            self._sweep()
            return count

    def _sweep(self) -> None:
        """Remove files that no run names any more; the lock keeps others from naming one meanwhile."""
        with self._transaction():
            self._files.sweep([name for (name,) in self._execute("SELECT DISTINCT name FROM files")])

    def close(self) -> None:
        """See Store."""
        with self._lock, explained(self.path):
            self._connection.close()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock, explained(self.path):
            try:
                yield
            except UnicodeEncodeError:
                raise
            except (KeyError, ValueError, TypeError) as error:  # cells that nobody has written so
                raise damaged(self.path, error) from error
            self._check_file()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._execute("BEGIN IMMEDIATE")
        try:
            yield
            self._execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # SQLite may have rolled back itself, on a full disk for example
                self._execute("ROLLBACK")
            raise
        self._check_file()

    def _number(self, run_id: str) -> int:
        """Return the number by which the tables know a run."""
        row = self._execute("SELECT id FROM runs WHERE run_id = ?", (run_id,)).fetchone()
        if row is None:
            raise unknown_run(run_id)
        return int(row[0])

    def _identity_now(self) -> tuple[int, int, bool]:
        found = os.stat(self._name)  # noqa: PTH116  # it is asked at every commit: a Path takes twice as long
        return found.st_dev, found.st_ino, found.st_size > 0

    def _check_file(self) -> None:
        """Raise when the file was deleted, exchanged or emptied: SQLite would go on writing what nobody can find again."""
        try:
            same = self._identity_now() == self._identity
        except FileNotFoundError:
            same = False
        if not same:
            raise StoreError(
                f"the store {self.path} was deleted or emptied, or another file put in its place, while it was open",
                "put the file back and resume the run, or start it again",
            )
