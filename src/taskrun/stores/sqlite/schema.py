"""Tables of the SQLite store, and the migrations that create and change them.

Rules: ``PRAGMA user_version`` is the number of entries of ``MIGRATIONS`` that were applied to a database. A released
migration is never edited: a change is a further migration. A database of a newer taskrun or of another program is
refused.
"""

from __future__ import annotations

import sqlite3

from taskrun.errors import StoreError

APPLICATION_ID = 0x74726E31
"""``PRAGMA application_id`` of a taskrun database: the letters ``trn1``."""

BLOCK_BITS = 12
"""The block of a row in ``places`` is its id shifted right by this many bits; part of the schema."""

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
"""The statements of each migration; entry n migrates from version n to n + 1."""


def migrate(connection: sqlite3.Connection, name: str, migrations: tuple[tuple[str, ...], ...] = MIGRATIONS) -> None:
    """Create or migrate the tables of a database to the current schema; must be called outside of a transaction.

    ``name`` is the name of the database in messages. Raises StoreError if the database is not taskrun's, or is newer.
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
    """Return the schema version of a database that is taskrun's or empty; raises StoreError for any other."""
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
