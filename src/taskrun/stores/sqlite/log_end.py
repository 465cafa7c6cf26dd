"""Cached end of the append-only log of a SQLite store, which lets most writes skip the check of the epoch.

Rules: row ids of the log (the table ``steps``) only grow. A process that claims or deletes a run appends a fence: a row
that belongs to no run. Hence, as long as the next row id is free, no other process wrote, claimed or deleted anything,
and the cached epochs are valid: inserting a row with exactly that id checks the epoch implicitly. That is free, whereas
reading the epoch in the same statement makes a commit 50 % slower.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import NamedTuple

from taskrun.stores.sqlite.schema import BLOCK_BITS

_MAX_RUNS = 10_000
"""The cache is cleared when it contains more runs than this."""


class KnownRun(NamedTuple):
    """Cached row id and epoch of a run that this process writes, and the last id block that ``places`` lists for it."""

    number: int
    epoch: int
    block: int


@dataclass(slots=True, eq=False)
class LogEnd:
    """Cache of the last row id of the log, and of the runs that were written since another process wrote last."""

    last_id: int = 0
    runs: dict[str, KnownRun] = field(default_factory=dict)

    def refresh(self, connection: sqlite3.Connection) -> None:
        """Read the last row id, inside a write transaction; drop the cached runs if another process wrote."""
        (last_id,) = connection.execute("SELECT max(id) FROM steps").fetchone()
        if last_id != self.last_id or len(self.runs) > _MAX_RUNS:
            self.runs.clear()
        self.last_id = last_id or 0

    def invalidate(self) -> None:
        """Clear the cache, so that the next write reads the last row id and the epoch again."""
        self.last_id = 0
        self.runs.clear()


def append_fence(connection: sqlite3.Connection) -> None:
    """Append a row that belongs to no run, which invalidates the ``LogEnd`` of every other process.

    Call it in the transaction that claims or deletes a run. Deletions never remove such rows.
    """
    last_id = connection.execute(
        "INSERT INTO steps (run, key, kind, state, attempt, signal, note) VALUES (0, '', 'fence', '', 0, '', '')"
    ).lastrowid
    connection.execute("INSERT OR IGNORE INTO places VALUES (0, ?)", ((last_id or 0) >> BLOCK_BITS,))
