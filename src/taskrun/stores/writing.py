"""What happens in a writing transaction of the SQLite store, for one run.

Rules: cells are made, and files written, before the transaction begins; a write looks at the epoch and at the transition
before it changes anything, so that a refused one leaves nothing behind in a transaction that others share.
"""

# ruff: noqa: S608  # what is put into statements are constants: lists of columns, and question marks

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from taskrun.core.records import RunState
from taskrun.core.store import Write, fenced
from taskrun.errors import StoreError, WrongTransition
from taskrun.stores.rows import STEP_COLUMNS, cell, changed_columns, step_row
from taskrun.stores.schema import BLOCK_BITS
from taskrun.stores.value_files import ValueFiles

_MARKS = ", ".join("?" * len(STEP_COLUMNS.split()))
_APPEND_IF = f"INSERT INTO steps ({STEP_COLUMNS}, id, run) SELECT {_MARKS}, ?, id FROM runs WHERE id = ? AND epoch = ?"
_APPEND = f"INSERT INTO steps ({STEP_COLUMNS}, run) VALUES ({_MARKS}, ?)"
READ_STEPS = (
    f"SELECT {STEP_COLUMNS} FROM places CROSS JOIN steps ON steps.run = places.run"
    f" AND steps.id BETWEEN block << {BLOCK_BITS} AND (block << {BLOCK_BITS}) + {2**BLOCK_BITS - 1}"
    " WHERE places.run = ? ORDER BY block, steps.id"
)
"""Reads all rows of a run, in the order in which they were written."""
_RELEASE = "UPDATE runs SET owner_host = NULL, owner_pid = NULL, owner_token = NULL WHERE id = ?"
_REMEMBERED = 10_000
"""How many runs a process remembers the places of."""


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


class Tail:
    """Where the log ended when this process last wrote, and the number and last block of each run that it writes.

    It is a guess: others may have written since, and then the statement that relies on it writes nothing.
    """

    def __init__(self) -> None:
        self.last_id = 0
        self.places: dict[str, tuple[int, int]] = {}

    def learn(self, ready: Iterable[ReadyWrite]) -> None:
        """Take over what a committed transaction has found out."""
        if len(self.places) > _REMEMBERED:
            self.places.clear()
        for one in ready:
            if one.last_id:
                self.last_id = max(self.last_id, one.last_id)
                self.places[one.write.run_id] = (one.number, one.last_id >> BLOCK_BITS)

    def forget(self) -> None:
        """Know nothing: others may have written where this process believes the end to be."""
        self.last_id = 0
        self.places.clear()


class ReadyWrite:
    """A write whose cells are made and whose files are written."""

    def __init__(self, write: Write, store: ValueFiles) -> None:
        self.write = write
        self.files = Spilled(store)
        self.number = 0
        self.last_id = 0
        self.rows = [step_row(record, self.files.spill) for record in write.records]
        self.columns = changed_columns(write.changes, self.files.spill) if write.changes else {}

    @property
    def is_one_record(self) -> bool:
        """Whether it is one record and nothing else."""
        return len(self.rows) == 1 and not self.columns and not self.files.files

    def apply(self, connection: sqlite3.Connection) -> StoreError | None:
        """Write it in the transaction that is open, or return why it was refused, with nothing written."""
        write = self.write
        found = connection.execute("SELECT id, epoch, state FROM runs WHERE run_id = ?", (write.run_id,)).fetchone()
        if found is None or found[1] != write.epoch:
            return fenced(write.run_id, write.epoch, found and found[1])
        number = self.number = found[0]
        try:
            self._change(connection, number, RunState(found[2]))
        except WrongTransition as problem:
            return problem
        if self.rows:
            for row in self.rows:
                self.last_id = connection.execute(_APPEND, (*row, number)).lastrowid or 0
            first_block, last_block = (self.last_id - len(self.rows) + 1) >> BLOCK_BITS, self.last_id >> BLOCK_BITS
            for block in range(first_block, last_block + 1):
                connection.execute("INSERT OR IGNORE INTO places VALUES (?, ?)", (number, block))
        self.files.keep(connection, number)
        return None

    def append(self, connection: sqlite3.Connection, tail: Tail) -> bool:
        """Write the one record behind the end of the log in a single statement, the shortest transaction there is.

        Return False, with nothing written, when ``apply`` is needed: the place is taken, the run is new in its block,
        or the epoch is over.
        """
        write = self.write
        next_id = tail.last_id + 1
        number, block = tail.places.get(write.run_id, (0, -1))
        if block != next_id >> BLOCK_BITS:
            return False
        try:
            done = connection.execute(_APPEND_IF, (*self.rows[0], next_id, number, write.epoch))
        except sqlite3.IntegrityError:
            return False
        if done.rowcount != 1:
            return False
        tail.last_id = next_id
        return True

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
