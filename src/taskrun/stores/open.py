"""Open stores by URL.

    memory:                             in memory, lost when the process ends
    sqlite:///runs.db                   a SQLite file, relative to the current folder
    sqlite:////var/lib/runs.db          a SQLite file with an absolute path; optionally ?synchronous=NORMAL&timeout=10

Rules: the part before the first colon selects the kind of store. Other packages can add kinds: they register, in the
entry points ``taskrun.stores``, a function that takes the URL and returns a store. The name of the entry point is the
part before the colon. The function is loaded on first use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from taskrun.durable.store import Store
from taskrun.errors import PluginError, StoreError, near_hint
from taskrun.plugins import entry_points

GROUP = "taskrun.stores"
_URL_FORMS = "a store is memory:, sqlite:///relative/file.db or sqlite:////absolute/file.db"
_SETTINGS = ("synchronous", "timeout")
_SYNCHRONOUS = ("FULL", "NORMAL")
_SECONDS = re.compile(r"\d{1,6}(\.\d+)?")


def open_store(url: str) -> Store:
    """Open the store at a URL.

    Raises StoreError if the URL is not that of a store, or the store cannot be opened. Raises PluginError if the store
    is provided by another package and cannot be loaded.
    """
    scheme, colon, _ = url.partition(":")
    scheme = scheme.lower()
    if not colon:
        raise StoreError(f"'{url}' is no URL of a store", _URL_FORMS)
    if scheme in _BUILT_IN:
        return _BUILT_IN[scheme](url)
    others = {entry.name: entry for entry in entry_points(group=GROUP)}
    if scheme not in others:
        raise StoreError(
            f"'{url}': there is no kind of store '{scheme}'", near_hint(scheme, {*_BUILT_IN, *others}) or _URL_FORMS
        )
    entry = others[scheme]
    try:
        opener = cast("Callable[[str], Store]", entry.load())
    except Exception as error:
        raise PluginError(f"the store '{scheme}' ({entry.value}) cannot be loaded: {error}") from error
    return opener(url)


def _memory(url: str) -> Store:
    """Open a new, empty store in memory; raises StoreError if the URL names a file."""
    from taskrun.stores.memory import MemoryStore

    if url.partition(":")[2].strip("/"):
        raise StoreError(f"'{url}': a store in memory has no name", "write memory:")
    return MemoryStore()


def sqlite_file(url: str) -> Path | None:
    """Return the file of the SQLite store at a URL; None if the URL is that of a store of another kind.

    Nothing is opened or created. Raises StoreError for a malformed URL of a SQLite store.
    """
    return Path(_sqlite_settings(url).path).expanduser() if url.lower().startswith("sqlite:") else None


class _SqliteSettings(NamedTuple):
    """What the URL of a SQLite store contains: the file, and the parameters ``synchronous`` and ``timeout``."""

    path: str
    synchronous: Literal["FULL", "NORMAL"]
    timeout: float


def _sqlite(url: str) -> Store:
    """Open the SQLite store at a URL; a file that does not exist is created."""
    from taskrun.stores.sqlite.store import SqliteStore

    path, synchronous, timeout = _sqlite_settings(url)
    return SqliteStore(path, synchronous=synchronous, timeout=timeout)


def _sqlite_settings(url: str) -> _SqliteSettings:
    """Return the file and the settings in the URL of a SQLite store; raises StoreError for a malformed URL."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise StoreError(f"'{url}' is no URL: {error}", _URL_FORMS) from error
    path = unquote(parts.path.removeprefix("/"))
    if parts.netloc or not url.partition(":")[2].startswith("///") or path in {"", "/"}:
        raise StoreError(f"'{url}' names no file", _URL_FORMS)
    settings = dict(parse_qsl(parts.query, keep_blank_values=True))
    for name in settings:
        if name not in _SETTINGS:
            raise StoreError(
                f"'{url}': there is no setting '{name}'", near_hint(name, _SETTINGS) or f"there are {_SETTINGS}"
            )
    synchronous = settings.get("synchronous", "FULL").upper()
    if synchronous not in _SYNCHRONOUS:
        raise StoreError(f"'{url}': synchronous is FULL or NORMAL", near_hint(synchronous, _SYNCHRONOUS))
    timeout = settings.get("timeout", "5")
    if not _SECONDS.fullmatch(timeout):
        raise StoreError(f"'{url}': timeout is a number of seconds", "5 for example")
    return _SqliteSettings(path, "NORMAL" if synchronous == "NORMAL" else "FULL", float(timeout))


_BUILT_IN: Mapping[str, Callable[[str], Store]] = MappingProxyType({"memory": _memory, "sqlite": _sqlite})
