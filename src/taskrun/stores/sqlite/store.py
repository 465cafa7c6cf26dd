"""SqliteStore: a store in one SQLite file, with a folder of files for long values beside it.

Rules: the file is in write-ahead-log mode. A write transaction begins with BEGIN IMMEDIATE, so that it cannot fail
later, in the middle, because another process writes. Each write checks the epoch. After each commit it is checked that
the file is still the one that was opened. See ``schema`` for the tables, ``rows`` for the conversion of records,
``errors`` for that of exceptions.
"""

# ruff: noqa: S608  # only constants are formatted into statements

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
from taskrun.stores.sqlite.errors import MEDIUM_ERRORS, damaged_record_error, store_error, translate_errors
from taskrun.stores.sqlite.log_end import LogEnd, append_fence
from taskrun.stores.sqlite.rows import (
    LONG_COLUMNS,
    SUMMARY_COLUMNS,
    cell,
    run_from_row,
    run_row,
    step_from_row,
    summary_from_row,
)
from taskrun.stores.sqlite.schema import migrate
from taskrun.stores.sqlite.value_files import SpilledFiles, ValueFiles
from taskrun.stores.sqlite.writes import (
    READ_STEPS,
    apply_writes,
    prepare_writes,
    read_fencing_error,
    try_append,
)

Synchronous = Literal["FULL", "NORMAL"]


class SqliteStore:
    """Store of runs in a SQLite file.

    Parameters: ``path`` is the file; it and its folder are created if they do not exist. ``synchronous`` is SQLite's
    setting: with ``FULL`` commits survive a loss of power, with ``NORMAL`` only the death of the process. ``timeout``
    is the number of seconds to wait while another process writes. Raises StoreError if the file cannot be opened or is
    not a store of taskrun.
    """

    def __init__(self, path: Path | str, *, synchronous: Synchronous = "FULL", timeout: float = 5.0) -> None:
        self.path: Path = Path(path).expanduser().absolute()
        self._name = str(self.path)
        self._files = ValueFiles(self.path.with_name(self.path.name + ".files"))
        self._lock = threading.RLock()
        self._log_end = LogEnd()
        with translate_errors(self.path):
            # records may contain private data, so a new folder is accessible to its owner only
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
        """Create or migrate the tables, and set the modes; wait at most ``timeout`` seconds for other processes."""
        migrate(self._connection, str(self.path))
        self._execute(f"PRAGMA synchronous = {synchronous}")
        deadline = time.monotonic() + timeout
        while self._execute("PRAGMA journal_mode").fetchone() != ("wal",):
            try:  # SQLite does not apply its own timeout to this statement
                self._execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        self._identity = self._file_identity()

    def create(self, run: RunRecord) -> None:
        """Insert the record of a new run; raises StoreError if a run with its id exists."""
        with self._lock, translate_errors(self.path):
            files = SpilledFiles(self._files)
            row = run_row(run, files.spill)
            with self._transaction():
                if self._execute("SELECT 1 FROM runs WHERE run_id = ?", (run.run_id,)).fetchone():
                    raise StoreError(
                        f"there is a run {run.run_id} already", "use another run id, or let taskrun generate one"
                    )
                places = ", ".join("?" * len(row))
                self._execute(f"INSERT INTO runs ({SUMMARY_COLUMNS}, {LONG_COLUMNS}) VALUES ({places})", row)
                self._execute("INSERT OR IGNORE INTO texts VALUES (?, ?)", (run.sha256, cell(run.text)))
                if files.files:
                    files.register(self._connection, self._run_number(run.run_id))

    def load(self, run_id: str) -> RunRecord:
        """Return the record of a run, without the records of its steps; raises UnknownRunError."""
        with self._reading():
            row = self._execute(
                f"SELECT {SUMMARY_COLUMNS}, {LONG_COLUMNS}, text FROM runs JOIN texts USING (sha256) WHERE run_id = ?",
                (run_id,),
            ).fetchone()
            if row is None:
                raise unknown_run(run_id)
            return run_from_row(row, self._files.load)

    def records(self, run_id: str) -> list[StepRecord]:
        """Return the latest record for each record key of a run, in the order in which these were written."""
        with self._reading():
            last: dict[str | bytes, Any] = {}
            for row in self._execute(READ_STEPS, (self._run_number(run_id),)):
                last.pop(row[0], None)  # a later row of a key replaces the earlier one, and moves it to the end
                last[row[0]] = row
            return [step_from_row(row, self._files.load) for row in last.values()]

    def write(
        self, run_id: str, epoch: int, records: Sequence[StepRecord] = (), run_changes: RunChanges | None = None
    ) -> None:
        """Write records of steps and changes of one run in one transaction; raises FencedError or TransitionError."""
        for problem in self.write_all((Write(run_id, epoch, records, run_changes),)):
            if problem is not None:
                raise problem

    def write_all(self, writes: Sequence[Write]) -> list[StoreError | None]:
        """Perform the writes of several runs in one transaction; return for each None, or the error that refused it."""
        with self._lock:
            try:
                if len(writes) == 1 and try_append(self._connection, self._log_end, writes[0]):
                    self._check_file()
                    return [None]
                prepared = prepare_writes(writes, self._files)
                with self._transaction():
                    return apply_writes(self._connection, self._log_end, prepared)
            except BaseException as error:
                self._log_end.invalidate()  # it may contain rows that were rolled back
                if isinstance(error, MEDIUM_ERRORS):
                    raise store_error(error, self.path) from error
                raise

    def claim(self, run_id: str, owner: Owner, now: float, stale_after: float) -> int:
        """Make ``owner`` the owner of a run, and return its new epoch; raises RunOwnedError or TransitionError."""
        with self._lock, translate_errors(self.path), self._transaction():
            row = self._execute(f"SELECT {SUMMARY_COLUMNS} FROM runs WHERE run_id = ?", (run_id,)).fetchone()
            if row is None:
                raise unknown_run(run_id)
            run = summary_from_row(row, self._files.load)
            check_claim(run, now, stale_after)
            append_fence(self._connection)
            self._execute(
                "UPDATE runs SET epoch = ?, heartbeat = ?, owner_host = ?, owner_pid = ?, owner_token = ?"
                " WHERE run_id = ?",
                (run.epoch + 1, now, owner.host, owner.pid, owner.token, run_id),
            )
            return run.epoch + 1

    def heartbeat(self, run_id: str, epoch: int, now: float) -> None:
        """Renew the lease of a run; raises FencedError if the run was deleted or claimed under a newer epoch."""
        with self._lock, translate_errors(self.path):
            done = self._execute("UPDATE runs SET heartbeat = ? WHERE run_id = ? AND epoch = ?", (now, run_id, epoch))
            self._check_file()
            if not done.rowcount:
                raise read_fencing_error(self._connection, run_id, epoch)

    def request(self, run_id: str, kind: str) -> None:
        """Store a request for the owner of a run, such as ``cancel``; if it is stored already, nothing changes."""
        with self._lock, translate_errors(self.path), self._transaction():
            self._execute(
                "INSERT OR IGNORE INTO requests (run, kind) VALUES (?, ?)", (self._run_number(run_id), cell(kind))
            )

    def requests(self, run_id: str) -> tuple[str, ...]:
        """Return the requests for the owner of a run, the oldest first; reading does not remove them."""
        with self._reading():
            rows = self._execute("SELECT kind FROM requests WHERE run = ? ORDER BY id", (self._run_number(run_id),))
            return tuple(kind for (kind,) in rows)

    def runs(
        self,
        state: RunState | None = None,
        flow: str | None = None,
        since: float | None = None,
        limit: int | None = None,
    ) -> list[RunSummary]:
        """Return summaries of the newest ``limit`` runs, filtered by state, name of the flow, and time of creation."""
        filters: dict[str, Any] = {
            "state = ?": None if state is None else state.value,
            "flow = ?": cell(flow),
            "created >= ?": since,
        }
        filters = {condition: value for condition, value in filters.items() if value is not None}
        where = " AND ".join(filters) or "1"
        with self._reading():
            rows = self._execute(
                f"SELECT {SUMMARY_COLUMNS} FROM runs WHERE {where} ORDER BY created DESC, id DESC LIMIT ?",
                (*filters.values(), -1 if limit is None else limit),
            ).fetchall()
            return [summary_from_row(row, self._files.load) for row in rows]

    def delete(self, run_id: str) -> None:
        """Delete a run and all runs that it called; raises UnknownRunError."""
        from taskrun.stores.sqlite.delete import delete_runs

        with self._lock, translate_errors(self.path):
            with self._transaction():
                delete_runs(self._connection, [self._run_number(run_id)])
            self._sweep()

    def purge(self, before: float) -> int:
        """Delete the runs that ended before a time (seconds since 1970), and those that they called.

        Runs whose calling run exists are deleted only together with it. Returns the number of deleted runs.
        """
        from taskrun.stores.sqlite.delete import purge_runs

        with self._lock, translate_errors(self.path):
            with self._transaction():
                count = purge_runs(self._connection, before)
            self._sweep()
            return count

    def _sweep(self) -> None:
        """Remove the files for long values that no run uses; a transaction prevents that others write meanwhile."""
        with self._transaction():
            self._files.sweep([name for (name,) in self._execute("SELECT DISTINCT name FROM files")])

    def close(self) -> None:
        """Close the file; every later call of another method raises StoreError."""
        with self._lock, translate_errors(self.path):
            self._connection.close()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Lock the connection while the ``with`` block reads; errors, also about malformed rows, become StoreError."""
        with self._lock, translate_errors(self.path):
            try:
                yield
            except UnicodeEncodeError:
                raise
            except (KeyError, ValueError, TypeError) as error:  # the row was not written by taskrun, or is damaged
                raise damaged_record_error(self.path, error) from error
            self._check_file()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Execute the ``with`` block in a write transaction; commit it, or roll it back after an exception."""
        self._execute("BEGIN IMMEDIATE")
        try:
            yield
            self._execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # SQLite itself rolls back after some errors, such as a full disk
                self._execute("ROLLBACK")
            raise
        self._check_file()

    def _run_number(self, run_id: str) -> int:
        """Return the row id of a run in the table ``runs``; raises UnknownRunError."""
        row = self._execute("SELECT id FROM runs WHERE run_id = ?", (run_id,)).fetchone()
        if row is None:
            raise unknown_run(run_id)
        return int(row[0])

    def _file_identity(self) -> tuple[int, int, bool]:
        """Return what identifies the file that is now the store: device, inode, and whether it has content."""
        found = os.stat(self._name)  # noqa: PTH116  # called at every commit; a Path takes twice as long
        return found.st_dev, found.st_ino, found.st_size > 0

    def _check_file(self) -> None:
        """Raise StoreError if the store's file was deleted, replaced or emptied: further writes would be lost."""
        try:
            same = self._file_identity() == self._identity
        except FileNotFoundError:
            same = False
        if not same:
            raise StoreError(
                f"the store {self.path} was deleted, emptied or replaced by another file while it was open",
                "put the file back and resume the run, or start it again",
            )
