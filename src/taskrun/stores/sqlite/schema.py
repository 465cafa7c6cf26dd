"""Tables of the SQLite store, and the migrations that create and change them.

Rules: a migration is a list of SQL statements. ``PRAGMA user_version`` of a database is the number of migrations that
were applied to it. A released migration is never edited: a change of the tables is a further migration. A database of a
newer taskrun, or of another program, is refused.
"""

from __future__ import annotations

import sqlite3

from taskrun.errors import StoreError

APPLICATION_ID = 0x74726E31
"""``PRAGMA application_id`` of each taskrun database: the letters ``trn1``."""

BLOCK_BITS = 12
"""The log (the table ``steps``) is divided into blocks of 2 ** BLOCK_BITS row ids; ``places`` lists those of each run.

The number of a row's block is its id shifted right by this many bits. It is part of the schema: never change it.
"""

_VERSION_1 = (
    # AUTOINCREMENT, because a run's id must never be reused: other processes cache it (``LogEnd``). The columns that
    # every write reads come first, as long values in front of them would move them to an overflow page.
    """CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL UNIQUE, epoch INTEGER NOT NULL, state TEXT NOT NULL,
        owner_host TEXT, owner_pid INTEGER, owner_token TEXT, heartbeat REAL,
        created REAL NOT NULL, started REAL, ended REAL, parent TEXT, parent_step TEXT,
        flow TEXT NOT NULL, version TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL,
        error TEXT, flags TEXT NOT NULL, inputs TEXT NOT NULL, outputs TEXT, waits_for TEXT)""",
    "CREATE INDEX runs_created ON runs (created)",
    "CREATE INDEX runs_parent ON runs (parent) WHERE parent IS NOT NULL",
    # All runs of a flow share one copy of its text.
    "CREATE TABLE texts (sha256 TEXT PRIMARY KEY, text TEXT NOT NULL)",
    # The log of all runs: a record that is written again becomes a further row, and the last row of a key counts. The
    # cost of a commit is the number of dirty pages, so only the end of the table is written. An index on ``run`` would
    # dirty a page per active run; instead, ``places`` lists the blocks of 2 ** BLOCK_BITS rows in which a run has rows.
    """CREATE TABLE steps (
        id INTEGER PRIMARY KEY, run INTEGER NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL DEFAULT 'step',
        state TEXT NOT NULL DEFAULT 'SUCCEEDED', attempt INTEGER NOT NULL DEFAULT 1, input_names TEXT, outputs TEXT,
        signal TEXT NOT NULL DEFAULT 'NEXT', target TEXT, error TEXT, note TEXT NOT NULL DEFAULT '',
        started REAL, ended REAL, inputs TEXT)""",
    "CREATE TABLE places (run INTEGER NOT NULL, block INTEGER NOT NULL, PRIMARY KEY (run, block)) WITHOUT ROWID",
    "CREATE TABLE requests (id INTEGER PRIMARY KEY, run INTEGER NOT NULL, kind TEXT NOT NULL, UNIQUE (run, kind))",
    "CREATE TABLE files (run INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (run, name)) WITHOUT ROWID",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_VERSION_1,)
"""The SQL statements of each migration; entry n changes a database of version n to version n + 1."""


def migrate(connection: sqlite3.Connection, name: str, migrations: tuple[tuple[str, ...], ...] = MIGRATIONS) -> None:
    """Create the tables of a new database, or change those of an older version to the present one.

    ``name`` names the database in messages. Call it outside of a transaction. Raises StoreError if the database is one
    of another program or of a newer taskrun.
    """
    connection.execute("BEGIN")  # read a consistent state
    try:
        version = _version(connection, name, migrations)
    finally:
        connection.execute("ROLLBACK")
    if version == len(migrations):
        return
    connection.execute("BEGIN IMMEDIATE")  # two processes may open a new database at once: one of them migrates it
    try:
        for step in migrations[_version(connection, name, migrations) :]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection, name: str, migrations: tuple[tuple[str, ...], ...]) -> int:
    """Return the schema version of a database, 0 for an empty one.

    Raises StoreError if the database is one of another program or of a newer taskrun.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID and (application or version or tables):
        raise StoreError(f"{name} is a database of another program", "use another file for taskrun")
    if version > len(migrations):
        raise StoreError(
            f"{name} was written by a newer taskrun: its schema is version {version}, this one supports up to {len(migrations)}",
            "update taskrun, or use another file",
        )
    return int(version)
