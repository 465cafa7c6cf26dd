"""The store of a command: ``--store URL``, else the variable ``TASKRUN_STORE``, else a file in the user's state folder.

Rules: only ``taskrun run`` creates a store that does not exist. The other commands then report that no runs are
recorded.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taskrun.durable.history import History

STORE_VARIABLE = "TASKRUN_STORE"


def add_store_options(parser: argparse.ArgumentParser, *, recording: bool = False) -> None:
    """Add ``--store``; with ``recording`` also ``--no-record``. Only one of the two can be given."""
    group = parser.add_mutually_exclusive_group()
    text = f"the store of runs, such as sqlite:///runs.db (default: {STORE_VARIABLE}, or a file in your state folder)"
    group.add_argument("--store", metavar="URL", help=text)
    if recording:
        group.add_argument("--no-record", action="store_true", help="do not record this run")


def store_url(arguments: argparse.Namespace) -> str:
    """Return the URL of the store that the command line or the environment selects; the store is not created."""
    selected: str | None = arguments.store
    if selected is not None:
        return selected
    return os.environ.get(STORE_VARIABLE) or _default_url()


def _default_url() -> str:
    """Return the URL of the default store, a file in the user's state folder; nothing is created."""
    from urllib.parse import quote

    from platformdirs import user_state_path

    return "sqlite:///" + quote((user_state_path("taskrun", appauthor=False) / "runs.db").as_posix(), safe="/:")


def existing_store_url(arguments: argparse.Namespace) -> str:
    """Return the URL of the selected store; raises StoreError if it is a file that does not exist."""
    from taskrun.errors import StoreError
    from taskrun.stores.open import sqlite_file

    url = store_url(arguments)
    file = sqlite_file(url)
    if file is not None:
        from taskrun.stores.sqlite.errors import translate_errors

        with translate_errors(file):  # the folder may be unreadable, for example
            exists = file.exists()
        if not exists:
            problem = f"no runs recorded: there is no file {file.absolute()}"
            raise StoreError(problem, f"select another store with --store or {STORE_VARIABLE}")
    return url


@contextmanager
def open_history(arguments: argparse.Namespace) -> Iterator[History]:
    """Open the selected store for the block of a ``with``, to read its runs; raises StoreError if it does not exist."""
    from taskrun.durable.history import History
    from taskrun.stores.open import open_store

    store = open_store(existing_store_url(arguments))
    try:
        yield History(store)
    finally:
        store.close()
