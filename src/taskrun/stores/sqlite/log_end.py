"""Cache of the end of a SQLite store's log; it spares most writes the check of the epoch.

Rules: the log is the table ``steps``, to which rows are only added, with growing row ids. A process that claims or
deletes a run appends a fence: a row that belongs to no run. So if the row id behind the last known one is still free,
no other process has written, claimed or deleted anything since, and the cached epochs are valid. Inserting a row with
exactly this id thus checks the epoch at no cost; reading the epoch in the same statement makes a commit 50 % slower.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import NamedTuple

from taskrun.stores.sqlite.schema import BLOCK_BITS

_MAX_RUNS = 10_000
"""If more runs than this are cached, the cache is cleared."""


class KnownRun(NamedTuple):
    """Cached row of a run that this process writes: its row id (``number``) and its epoch.

    ``block`` is the part of the log to which the run's newest record was written. The table ``places`` lists such parts
    for each run, so that its records are found without reading the whole log; a new part has to be added to it. -1 if
    it is not known. A part of the log is the rows whose ids are equal without the last ``BLOCK_BITS`` bits.
    """

    number: int
    epoch: int
    block: int


@dataclass(slots=True, eq=False)
class LogEnd:
    """The last row id of the log, and the runs that this process has written since another process wrote last."""

    last_id: int = 0
    runs: dict[str, KnownRun] = field(default_factory=dict)

    def refresh(self, connection: sqlite3.Connection) -> None:
        """Read the last row id; if another process has written since, forget the cached runs.

        Call it inside a write transaction, so that no other process writes afterwards.
        """
        (last_id,) = connection.execute("SELECT max(id) FROM steps").fetchone()
        if last_id != self.last_id or len(self.runs) > _MAX_RUNS:
            self.runs.clear()
        self.last_id = last_id or 0

    def invalidate(self) -> None:
        """Clear the cache, so that the next write reads the last row id and the epoch from the database."""
        self.last_id = 0
        self.runs.clear()


def append_fence(connection: sqlite3.Connection) -> None:
    """Append a fence to the log: a row that belongs to no run.

    By it every other process notices that its ``LogEnd`` is outdated. Call this function in the transaction that claims
    or deletes a run. Fences are never removed.
    """
    last_id = connection.execute(
        "INSERT INTO steps (run, key, kind, state, attempt, signal, note) VALUES (0, '', 'fence', '', 0, '', '')"
    ).lastrowid
    connection.execute("INSERT OR IGNORE INTO places VALUES (0, ?)", ((last_id or 0) >> BLOCK_BITS,))
