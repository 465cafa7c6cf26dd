"""Stores of recorded runs: the bundled ones (in memory, SQLite), and all names that a user of stores needs.

    from taskrun.stores import History, open_store

Modules here import ``taskrun.durable``, ``taskrun.core`` and ``taskrun.errors``, never the manager. The public names
are imported on first use, because ``taskrun.durable`` itself imports modules of this package. Begin with the protocol
``taskrun.durable.store.Store``, then ``memory``, the shortest implementation, and ``sqlite.store``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taskrun.codec.codec import Codec as Codec
    from taskrun.codec.codec import Codecs as Codecs
    from taskrun.core.journal import ErrorRecord as ErrorRecord
    from taskrun.core.journal import StepRecord as StepRecord
    from taskrun.core.states import RunState as RunState
    from taskrun.core.states import StepState as StepState
    from taskrun.durable.history import History as History
    from taskrun.durable.history import resolve_run_id as resolve_run_id
    from taskrun.durable.records import Owner as Owner
    from taskrun.durable.records import RunChanges as RunChanges
    from taskrun.durable.records import RunRecord as RunRecord
    from taskrun.durable.records import RunSummary as RunSummary
    from taskrun.durable.run_tree import RunDetails as RunDetails
    from taskrun.durable.run_tree import RunStep as RunStep
    from taskrun.durable.store import Store as Store
    from taskrun.durable.store import Write as Write
    from taskrun.stores.memory import MemoryStore as MemoryStore
    from taskrun.stores.open import open_store as open_store
    from taskrun.stores.sqlite.store import SqliteStore as SqliteStore

_PLACES = (
    ("taskrun.stores.open", ("open_store",)),
    ("taskrun.stores.memory", ("MemoryStore",)),
    ("taskrun.stores.sqlite.store", ("SqliteStore",)),
    ("taskrun.durable.store", ("Store", "Write")),
    ("taskrun.durable.records", ("Owner", "RunChanges", "RunRecord", "RunSummary")),
    ("taskrun.durable.history", ("History", "resolve_run_id")),
    ("taskrun.durable.run_tree", ("RunDetails", "RunStep")),
    ("taskrun.core.journal", ("ErrorRecord", "StepRecord")),
    ("taskrun.core.states", ("RunState", "StepState")),
    ("taskrun.codec.codec", ("Codec", "Codecs")),
)


def __getattr__(name: str) -> Any:
    """Return a public name of this package, which is imported from its module when it is first read."""
    for module, names in _PLACES:
        if name in names:
            import importlib

            return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    """Return the public names of this package, including those that have not been imported yet."""
    return sorted(name for _, names in _PLACES for name in names)
