"""What happens in a writing transaction of the SQLite store, for one run.

Rules: cells are made, and files written, before the transaction begins; a write looks at the epoch and at the transition
before it changes anything, so that a refused one leaves nothing behind in a transaction that others share.
"""

# ruff: noqa: S608  # what is put into statements are constants: lists of columns, and question marks

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from taskrun.core.states import RunState
from taskrun.durable.records import Owner
from taskrun.durable.store import Write, fenced
from taskrun.errors import FencedError, StoreError, TransitionError
from taskrun.stores.sqlite.blobs import ValueFiles
from taskrun.stores.sqlite.log_tail import KnownRun, Tail
from taskrun.stores.sqlite.rows import STEP_COLUMNS, Cell, cell, changed_columns, insert_statement, step_row
from taskrun.stores.sqlite.schema import BLOCK_BITS

READ_STEPS = (
    f"SELECT {STEP_COLUMNS} FROM places CROSS JOIN steps ON steps.run = places.run"
    f" AND steps.id BETWEEN block << {BLOCK_BITS} AND (block << {BLOCK_BITS}) + {2**BLOCK_BITS - 1}"
    " WHERE places.run = ? ORDER BY block, steps.id"
)
"""Reads all rows of a run, in the order in which they were written."""
_RELEASE = "UPDATE runs SET owner_host = NULL, owner_pid = NULL, owner_token = NULL WHERE id = ?"


class Rows:
    """Rows of a transaction that are ready to be inserted: those of ``steps`` by the columns that they have."""

    __slots__ = ("places", "steps")

    def __init__(self) -> None:
        self.steps: defaultdict[str, list[list[Cell]]] = defaultdict(list)
        self.places: list[tuple[int, int]] = []

    def insert(self, connection: sqlite3.Connection) -> None:
        """Insert all rows: one by one they cost half as much again."""
        for columns, rows in self.steps.items():
            connection.executemany(insert_statement(columns), rows)
        if self.places:
            connection.executemany("INSERT OR IGNORE INTO places VALUES (?, ?)", self.places)


class Spilled:
    """The files that a write, or a new run, has made."""

    __slots__ = ("files", "store")

    def __init__(self, store: ValueFiles) -> None:
        self.store = store
        self.files: dict[str, bytes] = {}

    def spill(self, data: bytes) -> str:
        """Write a long text into a file and remember it."""
        name = self.store.save(data)
        self.files[name] = data
        return name

    def keep(self, connection: sqlite3.Connection, number: int) -> None:
        """Note, in the transaction, that the run needs the files, and write again what a purge took in between."""
        for name, data in self.files.items():
            self.store.save(data)
            connection.execute("INSERT OR IGNORE INTO files VALUES (?, ?)", (number, name))


def refused(connection: sqlite3.Connection, run_id: str, epoch: int) -> FencedError:
    """Return the error about a write of an epoch that is over: it says who has the run now."""
    row = connection.execute(
        "SELECT epoch, owner_host, owner_pid, owner_token FROM runs WHERE run_id = ?", (run_id,)
    ).fetchone()
    if row is None:
        return fenced(run_id, epoch, None)
    return fenced(run_id, epoch, row[0], None if row[1] is None else Owner(*row[1:]))


class ReadyWrite(NamedTuple):
    """A write whose cells are made and whose files, if it has any, are written."""

    write: Write
    rows: list[tuple[str, list[Cell]]]
    columns: dict[str, Cell]
    files: Spilled | None

    def apply(self, connection: sqlite3.Connection, tail: Tail, rows: Rows) -> StoreError | None:
        """Write it in the transaction that is open, or return why it was refused, with nothing written.

        ``tail`` is up to date, and is brought forward; the rows of steps, with their numbers, are added to ``rows``.
        """
        write = self.write
        known = tail.runs.get(write.run_id)
        if known is None or known.epoch != write.epoch or write.changes:
            found = connection.execute("SELECT id, epoch, state FROM runs WHERE run_id = ?", (write.run_id,)).fetchone()
            if found is None or found[1] != write.epoch:
                return refused(connection, write.run_id, write.epoch)
            known = KnownRun(found[0], write.epoch, -1)
            try:
                self._change(connection, known.number, RunState(found[2]))
            except TransitionError as problem:
                return problem
            tail.runs[write.run_id] = known
        number, _, block = known
        last_id = tail.last_id
        for columns, cells in self.rows:
            last_id += 1
            cells.extend((number, last_id))
            rows.steps[columns].append(cells)
            if last_id >> BLOCK_BITS != block:
                block = last_id >> BLOCK_BITS
                rows.places.append((number, block))
        tail.last_id = last_id
        if block != known.block:
            tail.runs[write.run_id] = KnownRun(number, write.epoch, block)
        if self.files is not None:
            self.files.keep(connection, number)
        return None

    def _change(self, connection: sqlite3.Connection, number: int, present: RunState) -> None:
        changes = self.write.changes
        if not changes:
            return
        if "state" in changes:
            present.follow(changes["state"], self.write.run_id)
        if "text" in changes:
            connection.execute(
                "INSERT OR IGNORE INTO texts VALUES (?, ?)", (self.columns["sha256"], cell(changes["text"]))
            )
        assignments = ", ".join(f"{name} = ?" for name in self.columns)
        connection.execute(f"UPDATE runs SET {assignments} WHERE id = ?", (*self.columns.values(), number))
        if "state" in changes and not changes["state"].active:
            connection.execute(_RELEASE, (number,))
            connection.execute("DELETE FROM requests WHERE run = ?", (number,))


def ready_writes(writes: Sequence[Write], store: ValueFiles) -> list[ReadyWrite]:
    """Make the cells of writes, and write their files."""
    ready = []
    files = Spilled(store)
    for write in writes:
        spill = files.spill
        rows = [step_row(record, spill) for record in write.records]
        columns = changed_columns(write.changes, spill) if write.changes else {}
        if files.files:
            ready.append(ReadyWrite(write, rows, columns, files))
            files = Spilled(store)
        else:
            ready.append(ReadyWrite(write, rows, columns, None))
    return ready


def write_ready(connection: sqlite3.Connection, tail: Tail, ready: Sequence[ReadyWrite]) -> list[StoreError | None]:
    """Write for several runs in the transaction that is open; all rows with the same columns go in at once."""
    tail.look(connection)
    rows = Rows()
    done = [one.apply(connection, tail, rows) for one in ready]
    rows.insert(connection)
    return done


def append(connection: sqlite3.Connection, tail: Tail, write: Write) -> bool:
    """Write a single short record at the end of the log in one statement, the shortest transaction there is.

    Return False, with nothing written, when ReadyWrite is needed: there is more to write than that, others have written
    since (a claim among them), or the run is new here, or in its block.
    """
    known = tail.runs.get(write.run_id)
    next_id = tail.last_id + 1
    if known is None or known.epoch != write.epoch or known.block != next_id >> BLOCK_BITS:
        return False
    if write.changes or len(write.records) != 1:
        return False
    try:
        columns, cells = step_row(write.records[0], _too_long)
        cells += (known.number, next_id)
        connection.execute(insert_statement(columns), cells)
    except (_TooLong, sqlite3.IntegrityError):
        return False
    tail.last_id = next_id
    return True


class _TooLong(Exception):
    """A record has a text that goes to a file."""


def _too_long(_: bytes) -> str:
    raise _TooLong
