"""How runs leave the SQLite store, with all that belongs to them.

Rules: a run goes with the runs that it called. A text goes with the last run of it. Files are swept afterwards.
"""

# ruff: noqa: S608  # what is put into statements are constants: lists of columns, and question marks

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from taskrun.core.states import RunState
from taskrun.stores.sqlite.log_tail import fence
from taskrun.stores.sqlite.schema import BLOCK_BITS

_ENDED = ", ".join(f"'{state}'" for state in RunState if state.ended)

_REMOVE_STEPS = (
    f"DELETE FROM steps WHERE id IN (SELECT steps.id FROM places CROSS JOIN steps ON steps.run = places.run"
    f" AND steps.id BETWEEN block << {BLOCK_BITS} AND (block << {BLOCK_BITS}) + {2**BLOCK_BITS - 1}"
    " WHERE places.run = ?)"
)


def remove(connection: sqlite3.Connection, numbers: Iterable[int]) -> int:
    """Remove runs and those that they called, and return how many went."""
    fence(connection)  # first, so that it has a number which no row had
    doomed: set[int] = set()
    waiting = list(numbers)
    while waiting:
        number = waiting.pop()
        if number not in doomed:
            doomed.add(number)
            called = "SELECT id FROM runs WHERE parent = (SELECT run_id FROM runs WHERE id = ?)"
            waiting += (child for (child,) in connection.execute(called, (number,)))
    keys = [(number,) for number in doomed]
    connection.executemany(_REMOVE_STEPS, keys)
    for table, column in (("places", "run"), ("requests", "run"), ("files", "run"), ("runs", "id")):
        connection.executemany(f"DELETE FROM {table} WHERE {column} = ?", keys)
    connection.execute("DELETE FROM texts WHERE sha256 NOT IN (SELECT sha256 FROM runs)")
    return len(doomed)


def purge(connection: sqlite3.Connection, before: float) -> int:
    """Remove the runs that ended before a time, unless the run that called them is still there."""
    old = connection.execute(
        f"SELECT id FROM runs WHERE ended < ? AND state IN ({_ENDED})"
        " AND (parent IS NULL OR parent NOT IN (SELECT run_id FROM runs))",
        (before,),
    )
    return remove(connection, [number for (number,) in old.fetchall()])
