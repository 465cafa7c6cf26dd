"""Writes of the SQLite store: prepared before the transaction begins, applied inside it.

Rules: values are encoded and files for long values are written before the transaction begins, so that it is short. A
write checks the epoch and the new state before it changes anything. So a refused write leaves no trace in the
transaction, which it shares with writes of other runs.
"""

# ruff: noqa: S608  # only constants are formatted into statements

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from taskrun.core.states import RunState
from taskrun.durable.records import Owner
from taskrun.durable.store import Write, fencing_error
from taskrun.errors import FencedError, StoreError, TransitionError
from taskrun.stores.sqlite.log_end import KnownRun, LogEnd
from taskrun.stores.sqlite.rows import STEP_COLUMNS, Cell, cell, changed_columns, insert_statement, step_row
from taskrun.stores.sqlite.schema import BLOCK_BITS
from taskrun.stores.sqlite.value_files import SpilledFiles, ValueFiles

READ_STEPS = (
    f"SELECT {STEP_COLUMNS} FROM places CROSS JOIN steps ON steps.run = places.run"
    f" AND steps.id BETWEEN block << {BLOCK_BITS} AND (block << {BLOCK_BITS}) + {2**BLOCK_BITS - 1}"
    " WHERE places.run = ? ORDER BY block, steps.id"
)
"""The query for all rows of a run in the log (the table ``steps``), in the order in which they were written."""
_RELEASE = "UPDATE runs SET owner_host = NULL, owner_pid = NULL, owner_token = NULL WHERE id = ?"


class PendingRows:
    """The rows that a transaction inserts at its end, all at once, because that is faster than single inserts.

    ``steps`` are rows of the log, grouped by the columns that they set. ``places`` are the pairs of run and block that
    the table ``places`` does not list yet.
    """

    __slots__ = ("places", "steps")

    def __init__(self) -> None:
        self.steps: defaultdict[str, list[list[Cell]]] = defaultdict(list)
        self.places: list[tuple[int, int]] = []

    def insert(self, connection: sqlite3.Connection) -> None:
        """Insert all rows with ``executemany``; single inserts cost 50 % more."""
        for columns, rows in self.steps.items():
            connection.executemany(insert_statement(columns), rows)
        if self.places:
            connection.executemany("INSERT OR IGNORE INTO places VALUES (?, ?)", self.places)


def read_fencing_error(connection: sqlite3.Connection, run_id: str, epoch: int) -> FencedError:
    """Return the FencedError for a write whose ``epoch`` is outdated; it names the present owner of the run."""
    row = connection.execute(
        "SELECT epoch, owner_host, owner_pid, owner_token FROM runs WHERE run_id = ?", (run_id,)
    ).fetchone()
    if row is None:
        return fencing_error(run_id, epoch, None)
    return fencing_error(run_id, epoch, row[0], None if row[1] is None else Owner(*row[1:]))


class PreparedWrite(NamedTuple):
    """A write whose values are encoded and whose files for long values are written, so that it can be applied quickly.

    ``rows`` are the rows of the log: for each the columns that it sets, and their values. ``columns`` are the changed
    columns of the run's own row. ``files`` are the files for long values, None if there are none.
    """

    write: Write
    rows: list[tuple[str, list[Cell]]]
    columns: dict[str, Cell]
    files: SpilledFiles | None

    def apply(self, connection: sqlite3.Connection, log_end: LogEnd, rows: PendingRows) -> StoreError | None:
        """Apply the write in the open transaction and return None; if it is refused, only return the error.

        Rows of the log are only added to ``rows``: the caller inserts them at the end of the transaction. ``log_end``,
        which must be refreshed, counts them as written.
        """
        write = self.write
        known = log_end.runs.get(write.run_id)
        if known is None or known.epoch != write.epoch or write.changes:
            found = connection.execute("SELECT id, epoch, state FROM runs WHERE run_id = ?", (write.run_id,)).fetchone()
            if found is None or found[1] != write.epoch:
                return read_fencing_error(connection, write.run_id, write.epoch)
            known = KnownRun(found[0], write.epoch, -1)
            try:
                self._change(connection, known.number, RunState(found[2]))
            except TransitionError as problem:
                return problem
            log_end.runs[write.run_id] = known
        number, _, block = known
        last_id = log_end.last_id
        for columns, cells in self.rows:
            last_id += 1
            cells.extend((number, last_id))
            rows.steps[columns].append(cells)
            if last_id >> BLOCK_BITS != block:
                block = last_id >> BLOCK_BITS
                rows.places.append((number, block))
        log_end.last_id = last_id
        if block != known.block:
            log_end.runs[write.run_id] = KnownRun(number, write.epoch, block)
        if self.files is not None:
            self.files.register(connection, number)
        return None

    def _change(self, connection: sqlite3.Connection, number: int, present: RunState) -> None:
        """Change the run's own row, whose id is ``number``; ``present`` is the state of the run.

        Raises TransitionError if this state cannot change to the new one.
        """
        changes = self.write.changes
        if not changes:
            return
        if "state" in changes:
            present.check_transition(changes["state"], self.write.run_id)
        if "text" in changes:
            connection.execute(
                "INSERT OR IGNORE INTO texts VALUES (?, ?)", (self.columns["sha256"], cell(changes["text"]))
            )
        assignments = ", ".join(f"{name} = ?" for name in self.columns)
        connection.execute(f"UPDATE runs SET {assignments} WHERE id = ?", (*self.columns.values(), number))
        if "state" in changes and not changes["state"].active:
            connection.execute(_RELEASE, (number,))
            connection.execute("DELETE FROM requests WHERE run = ?", (number,))


def prepare_writes(writes: Sequence[Write], store: ValueFiles) -> list[PreparedWrite]:
    """Encode the values of writes and write their files for long values, before the transaction begins."""
    prepared = []
    files = SpilledFiles(store)
    for write in writes:
        spill = files.spill
        rows = [step_row(record, spill) for record in write.records]
        columns = changed_columns(write.changes, spill) if write.changes else {}
        if files.files:
            prepared.append(PreparedWrite(write, rows, columns, files))
            files = SpilledFiles(store)
        else:
            prepared.append(PreparedWrite(write, rows, columns, None))
    return prepared


def apply_writes(
    connection: sqlite3.Connection, log_end: LogEnd, prepared: Sequence[PreparedWrite]
) -> list[StoreError | None]:
    """Apply writes of several runs in the open transaction; return for each None, or the error that refused it."""
    log_end.refresh(connection)
    rows = PendingRows()
    done = [one.apply(connection, log_end, rows) for one in prepared]
    rows.insert(connection)
    return done


def try_append(connection: sqlite3.Connection, log_end: LogEnd, write: Write) -> bool:
    """Write a single short record in one statement, which is the fastest transaction; return whether that was possible.

    If it was not, nothing is written, and the write must be prepared and applied. That is so if it has changes of the
    run, several records or a long value, if another process has written since, or if ``log_end`` lacks data about the
    run.
    """
    known = log_end.runs.get(write.run_id)
    next_id = log_end.last_id + 1
    if known is None or known.epoch != write.epoch or known.block != next_id >> BLOCK_BITS:
        return False
    if write.changes or len(write.records) != 1:
        return False
    try:
        columns, cells = step_row(write.records[0], _refuse_file)
        cells += (known.number, next_id)
        connection.execute(insert_statement(columns), cells)
    except (_NeedsFile, sqlite3.IntegrityError):
        return False
    log_end.last_id = next_id
    return True


class _NeedsFile(Exception):
    """Raised for a record with a value that is too long for the database, and needs a file."""


def _refuse_file(_: bytes) -> str:
    """Raise _NeedsFile; ``try_append``, which writes no files, passes this in place of ``SpilledFiles.spill``."""
    raise _NeedsFile
