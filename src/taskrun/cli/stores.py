"""The store of a command: ``--store URL``, else the variable ``TASKRUN_STORE``, else a file in the user's state folder.

Rules: what only reads or removes makes no store: where there is none, no run was recorded.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taskrun.durable.history import History

VARIABLE = "TASKRUN_STORE"


def add_store_options(parser: argparse.ArgumentParser, *, recording: bool = False) -> None:
    """Add ``--store``, and ``--no-record`` to the parser of a command that records; they exclude each other."""
    group = parser.add_mutually_exclusive_group()
    text = f"where runs are recorded, such as sqlite:///runs.db ({VARIABLE}, or a file in your state folder)"
    group.add_argument("--store", metavar="URL", help=text)
    if recording:
        group.add_argument("--no-record", action="store_true", help="do not record this run")


def store_url(arguments: argparse.Namespace) -> str:
    """Return the URL of the store that ``add_store_options`` asked for.

    The folder of the default store is made, for its owner only, by the store itself when it is opened.
    """
    named: str | None = arguments.store
    if named is not None:
        return named
    return os.environ.get(VARIABLE) or _default_url()


def _default_url() -> str:
    from urllib.parse import quote

    from platformdirs import user_state_path

    return "sqlite:///" + quote((user_state_path("taskrun", appauthor=False) / "runs.db").as_posix(), safe="/:")


def existing_store(arguments: argparse.Namespace) -> str:
    """Return the URL of a store in which there may be runs; StoreError when there is no such file."""
    from taskrun.errors import StoreError
    from taskrun.stores.open import sqlite_file

    url = store_url(arguments)
    file = sqlite_file(url)
    if file is not None:
        from taskrun.stores.sqlite.errors import translate_errors

        with translate_errors(file):  # a folder that may not be looked into, for example
            there = file.exists()
        if not there:
            problem = f"no runs recorded: there is no file {file.absolute()}"
            raise StoreError(problem, f"--store or {VARIABLE} name another")
    return url


@contextmanager
def recorded_runs(arguments: argparse.Namespace) -> Iterator[History]:
    """Open the store for a command that reads or removes; StoreError when there is none."""
    from taskrun.durable.history import History
    from taskrun.stores.open import open_store

    store = open_store(existing_store(arguments))
    try:
        yield History(store)
    finally:
        store.close()
