"""Run the conformance tests of stores on both bundled stores."""

# ruff: noqa: D102  # the base class says what they are for

from __future__ import annotations

from pathlib import Path

from unit.stores.conformance_of_stores import StoreConformance

from taskrun.durable.store import Store
from taskrun.stores.memory import MemoryStore
from taskrun.stores.sqlite.store import SqliteStore


class TestMemoryStore(StoreConformance):
    """Conformance of the store in memory."""

    def open(self, folder: Path) -> Store:
        return MemoryStore()

    def reopen(self, folder: Path) -> Store | None:
        return None


class TestSqliteStore(StoreConformance):
    """Conformance of the SQLite store."""

    def open(self, folder: Path) -> Store:
        return SqliteStore(folder / "a folder" / "runs.db", synchronous="NORMAL")

    def reopen(self, folder: Path) -> Store | None:
        return SqliteStore(folder / "a folder" / "runs.db")
