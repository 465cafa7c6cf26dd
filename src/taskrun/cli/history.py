"""The store of a command that reads recorded runs, such as ``taskrun show``.

Rules: only ``taskrun run`` creates a store that does not exist. The other commands then report that no runs are
recorded.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from taskrun.cli.manager_options import STORE_VARIABLE, store_url

if TYPE_CHECKING:
    from taskrun.durable.history import History


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
