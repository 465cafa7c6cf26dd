"""``open_store``: from a URL to a store.

    memory:                             forgotten when the process ends
    sqlite:///runs.db                   a file relative to the present folder
    sqlite:////var/lib/runs.db          an absolute one; with ?synchronous=NORMAL&timeout=10

Rules: the scheme chooses who reads the rest. Stores of other packages are callables that take the URL and return a store,
under their scheme in the entry points ``taskrun.stores``; they are loaded when they are asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from taskrun.durable.store import Store
from taskrun.errors import PluginError, StoreError, near_hint
from taskrun.stores.memory import MemoryStore

GROUP = "taskrun.stores"
_FORMS = "a store is memory:, sqlite:///relative/file.db or sqlite:////absolute/file.db"
_SETTINGS = ("synchronous", "timeout")
_SYNCHRONOUS = ("FULL", "NORMAL")
_SECONDS = re.compile(r"\d{1,6}(\.\d+)?")


def open_store(url: str) -> Store:
    """Open the store that the URL names; StoreError when it means none, or the store cannot be opened."""
    scheme, colon, _ = url.partition(":")
    scheme = scheme.lower()
    if not colon:
        raise StoreError(f"'{url}' is no URL of a store", _FORMS)
    if scheme in _BUILT_IN:
        return _BUILT_IN[scheme](url)
    others = {entry.name: entry for entry in entry_points(group=GROUP)}
    if scheme not in others:
        raise StoreError(
            f"'{url}': there is no kind of store '{scheme}'", near_hint(scheme, {*_BUILT_IN, *others}) or _FORMS
        )
    entry = others[scheme]
    try:
        opener = cast("Callable[[str], Store]", entry.load())
    except Exception as error:
        raise PluginError(f"the store '{scheme}' ({entry.value}) cannot be loaded: {error}") from error
    return opener(url)


def _memory(url: str) -> Store:
    if url.partition(":")[2].strip("/"):
        raise StoreError(f"'{url}': a store in memory has no name", "write memory:")
    return MemoryStore()


def file_of(url: str) -> Path | None:
    """Return the file that the URL of a store names, None for a store that is no file; nothing is opened or made.

    Raises StoreError when a URL of a SQLite store is wrong.
    """
    return Path(_sqlite_settings(url).path).expanduser() if url.lower().startswith("sqlite:") else None


class _SqliteSettings(NamedTuple):
    path: str
    synchronous: Literal["FULL", "NORMAL"]
    timeout: float


def _sqlite(url: str) -> Store:
    from taskrun.stores.sqlite.store import SqliteStore

    path, synchronous, timeout = _sqlite_settings(url)
    return SqliteStore(path, synchronous=synchronous, timeout=timeout)


def _sqlite_settings(url: str) -> _SqliteSettings:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise StoreError(f"'{url}' is no URL: {error}", _FORMS) from error
    path = unquote(parts.path.removeprefix("/"))
    if parts.netloc or not url.partition(":")[2].startswith("///") or path in {"", "/"}:
        raise StoreError(f"'{url}' names no file", _FORMS)
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
