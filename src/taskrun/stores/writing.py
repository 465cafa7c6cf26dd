"""What happens in a writing transaction of the SQLite store, for one run.

Rules: cells are made, and files written, before the transaction begins; a write looks at the epoch and at the transition
before it changes anything, so that a refused one leaves nothing behind in a transaction that others share.
"""

# ruff: noqa: S608  # what is put into statements are constants: lists of columns, and question marks

from __future__ import annotations

import sqlite3

from taskrun.core.records import RunState
from taskrun.core.store import Write, fenced
from taskrun.errors import StoreError, WrongTransition
from taskrun.stores.rows import LONGEST, STEP_COLUMNS, cell, changed_columns, step_row
from taskrun.stores.schema import BLOCK_BITS
from taskrun.stores.tail import KnownRun, Tail
from taskrun.stores.value_files import ValueFiles

_MARKS = ", ".join("?" * len(STEP_COLUMNS.split()))
_APPEND = f"INSERT INTO steps ({STEP_COLUMNS}, run) VALUES ({_MARKS}, ?)"
_APPEND_AT = f"INSERT INTO steps ({STEP_COLUMNS}, run, id) VALUES ({_MARKS}, ?, ?)"
READ_STEPS = (
    f"SELECT {STEP_COLUMNS} FROM places CROSS JOIN steps ON steps.run = places.run"
    f" AND steps.id BETWEEN block << {BLOCK_BITS} AND (block << {BLOCK_BITS}) + {2**BLOCK_BITS - 1}"
    " WHERE places.run = ? ORDER BY block, steps.id"
)
"""Reads all rows of a run, in the order in which they were written."""
_RELEASE = "UPDATE runs SET owner_host = NULL, owner_pid = NULL, owner_token = NULL WHERE id = ?"


class Spilled:
    """The files that a write, or a new run, has made."""

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


class ReadyWrite:
    """A write whose cells are made and whose files are written."""

    def __init__(self, write: Write, store: ValueFiles) -> None:
        self.write = write
        self.files = Spilled(store)
        self.rows = [step_row(record, self.files.spill) for record in write.records]
        self.columns = changed_columns(write.changes, self.files.spill) if write.changes else {}

    def apply(self, connection: sqlite3.Connection, tail: Tail) -> StoreError | None:
        """Write it in the transaction that is open, or return why it was refused, with nothing written.

        ``tail`` is up to date, and is brought forward.
        """
        write = self.write
        known = tail.runs.get(write.run_id)
        if known is None or known.epoch != write.epoch or write.changes:
            found = connection.execute("SELECT id, epoch, state FROM runs WHERE run_id = ?", (write.run_id,)).fetchone()
            if found is None or found[1] != write.epoch:
                return fenced(write.run_id, write.epoch, found and found[1])
            known = KnownRun(found[0], write.epoch, -1)
            try:
                self._change(connection, known.number, RunState(found[2]))
            except WrongTransition as problem:
                return problem
        for row in self.rows:
            tail.last_id = connection.execute(_APPEND, (*row, known.number)).lastrowid or 0
            block = tail.last_id >> BLOCK_BITS
            if block != known.block:
                connection.execute("INSERT OR IGNORE INTO places VALUES (?, ?)", (known.number, block))
                known = KnownRun(known.number, known.epoch, block)
        tail.runs[write.run_id] = known
        self.files.keep(connection, known.number)
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
    record = write.records[0]
    if record.error is not None or _is_long(record.outputs) or _is_long(record.inputs):
        return False
    try:
        connection.execute(_APPEND_AT, (*step_row(record), known.number, next_id))
    except sqlite3.IntegrityError:
        return False
    tail.last_id = next_id
    return True


def _is_long(text: str | None) -> bool:
    return text is not None and len(text) > LONGEST
