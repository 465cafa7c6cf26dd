"""The tables of the SQLite store and how they came to be.

Rules: ``PRAGMA user_version`` is the number of steps of ``MIGRATIONS`` that a database has been through. A step that was
released is never edited: a change is a further step. A newer database is refused, as is one of another program.
"""

from __future__ import annotations

import sqlite3

from taskrun.errors import StoreError

APPLICATION_ID = 0x74726E31
"""What ``PRAGMA application_id`` of a taskrun database says: the letters ``trn1``."""

BLOCK_BITS = 12
"""How many bits of a record's number are left out in ``places``; part of the schema."""

_FIRST = (
    # A run's number is never given again: those who write remember it. The columns that are looked at in every write come first: what is long would push them to another page.
    """CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL UNIQUE, epoch INTEGER NOT NULL, state TEXT NOT NULL,
        owner_host TEXT, owner_pid INTEGER, owner_token TEXT, heartbeat REAL,
        created REAL NOT NULL, started REAL, ended REAL, parent TEXT, parent_step TEXT,
        flow TEXT NOT NULL, version TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL,
        error TEXT, flags TEXT NOT NULL, inputs TEXT NOT NULL, outputs TEXT, waits_for TEXT)""",
    "CREATE INDEX runs_created ON runs (created)",
    "CREATE INDEX runs_parent ON runs (parent) WHERE parent IS NOT NULL",
    # One text serves all runs of a flow.
    "CREATE TABLE texts (sha256 TEXT PRIMARY KEY, text TEXT NOT NULL)",
    # A log of all runs: a record that is written again is a further row, and the last one counts. Pages are what a
    # commit costs, so writing touches the end of the table only. An index would dirty a page for each run at work;
    # ``places`` says instead in which blocks of 2 ** BLOCK_BITS rows a run has any.
    """CREATE TABLE steps (
        id INTEGER PRIMARY KEY, run INTEGER NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL DEFAULT 'step',
        state TEXT NOT NULL DEFAULT 'SUCCEEDED', attempt INTEGER NOT NULL DEFAULT 1, input_names TEXT, outputs TEXT,
        signal TEXT NOT NULL DEFAULT 'NEXT', target TEXT, error TEXT, note TEXT NOT NULL DEFAULT '',
        started REAL, ended REAL, inputs TEXT)""",
    "CREATE TABLE places (run INTEGER NOT NULL, block INTEGER NOT NULL, PRIMARY KEY (run, block)) WITHOUT ROWID",
    "CREATE TABLE requests (id INTEGER PRIMARY KEY, run INTEGER NOT NULL, kind TEXT NOT NULL, UNIQUE (run, kind))",
    "CREATE TABLE files (run INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (run, name)) WITHOUT ROWID",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST,)
"""The statements of each step from one version to the next."""


def migrate(connection: sqlite3.Connection, name: str, migrations: tuple[tuple[str, ...], ...] = MIGRATIONS) -> None:
    """Bring a database to the present version; call it in no transaction. ``name`` is for messages."""
    connection.execute("BEGIN")  # what is read belongs together
    try:
        version = _version(connection, name, migrations)
    finally:
        connection.execute("ROLLBACK")
    if version == len(migrations):
        return
    connection.execute("BEGIN IMMEDIATE")  # two processes may open a new database at once: one does it
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
    """Return the version of a database that is taskrun's, or empty; StoreError for any other."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID and (application or version or tables):
        raise StoreError(f"{name} is a database of another program", "give taskrun a file of its own")
    if version > len(migrations):
        raise StoreError(
            f"{name} was written by a newer taskrun: its schema is version {version}, this one knows {len(migrations)}",
            "update taskrun, or use another file",
        )
    return int(version)
