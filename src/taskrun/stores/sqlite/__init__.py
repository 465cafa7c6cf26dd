"""The SQLite store."""

from taskrun.stores.sqlite.store import SqliteStore as SqliteStore
