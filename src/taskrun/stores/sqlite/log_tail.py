"""What a process knows of the log's end in a SQLite store, so that it need not ask at every write.

Rules: the numbers of the log only grow. Whoever takes a run over, or removes one, appends a row of no run (``fence``). So
as long as the number after the last one known is free, nobody else has written, nobody has claimed or removed anything,
and what is known of the runs is true: to write at that number is at once the check of the epoch. It costs nothing, while
reading the epoch in the same statement makes a commit half as long again.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from taskrun.stores.sqlite.schema import BLOCK_BITS

_MOST = 10_000
"""How many runs are remembered."""


class KnownRun(NamedTuple):
    """A run that this process writes: its number in the tables, its epoch, the last block that it is known to be in."""

    number: int
    epoch: int
    block: int


class Tail:
    """The last number of the log, and the runs that were written since others wrote last."""

    def __init__(self) -> None:
        self.last_id = 0
        self.runs: dict[str, KnownRun] = {}

    def look(self, connection: sqlite3.Connection) -> None:
        """Bring the tail up to date, in a writing transaction: forget the runs when others have written."""
        (last_id,) = connection.execute("SELECT max(id) FROM steps").fetchone()
        if last_id != self.last_id or len(self.runs) > _MOST:
            self.runs.clear()
        self.last_id = last_id or 0

    def forget(self) -> None:
        """Know nothing."""
        self.last_id = 0
        self.runs.clear()


def fence(connection: sqlite3.Connection) -> None:
    """Append a row of no run, in the transaction of a claim or a removal; removals leave it where it is."""
    last_id = connection.execute(
        "INSERT INTO steps (run, key, kind, state, attempt, signal, note) VALUES (0, '', 'fence', '', 0, '', '')"
    ).lastrowid
    connection.execute("INSERT OR IGNORE INTO places VALUES (0, ?)", ((last_id or 0) >> BLOCK_BITS,))
