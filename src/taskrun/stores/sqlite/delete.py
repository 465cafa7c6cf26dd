"""Delete runs from the SQLite store, with everything that belongs to them.

Rules: the runs that a run called are deleted with it. The text of a flow is deleted with the last run of this flow. The
caller removes the files that no run uses any more.
"""

# ruff: noqa: S608  # only constants are formatted into statements

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from taskrun.core.states import RunState
from taskrun.stores.sqlite.log_end import append_fence
from taskrun.stores.sqlite.schema import BLOCK_BITS

_ENDED = ", ".join(f"'{state}'" for state in RunState if state.ended)

_DELETE_STEPS = (
    f"DELETE FROM steps WHERE id IN (SELECT steps.id FROM places CROSS JOIN steps ON steps.run = places.run"
    f" AND steps.id BETWEEN block << {BLOCK_BITS} AND (block << {BLOCK_BITS}) + {2**BLOCK_BITS - 1}"
    " WHERE places.run = ?)"
)


def delete_runs(connection: sqlite3.Connection, numbers: Iterable[int]) -> int:
    """Delete the runs with these row ids, and all runs that they called; return the number of deleted runs."""
    append_fence(connection)  # before the deletion, so that the fence gets a row id that was never used
    found: set[int] = set()
    waiting = list(numbers)
    while waiting:
        number = waiting.pop()
        if number not in found:
            found.add(number)
            called = "SELECT id FROM runs WHERE parent = (SELECT run_id FROM runs WHERE id = ?)"
            waiting += (child for (child,) in connection.execute(called, (number,)))
    keys = [(number,) for number in found]
    connection.executemany(_DELETE_STEPS, keys)
    for table, column in (("places", "run"), ("requests", "run"), ("files", "run"), ("runs", "id")):
        connection.executemany(f"DELETE FROM {table} WHERE {column} = ?", keys)
    connection.execute("DELETE FROM texts WHERE sha256 NOT IN (SELECT sha256 FROM runs)")
    return len(found)


def purge_runs(connection: sqlite3.Connection, before: float) -> int:
    """Delete the runs that ended before a time (seconds since 1970), and all runs that they called.

    Runs whose calling run exists are deleted only together with it. Returns the number of deleted runs.
    """
    old = connection.execute(
        f"SELECT id FROM runs WHERE ended < ? AND state IN ({_ENDED})"
        " AND (parent IS NULL OR parent NOT IN (SELECT run_id FROM runs))",
        (before,),
    )
    return delete_runs(connection, [number for (number,) in old.fetchall()])
