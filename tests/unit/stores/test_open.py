"""Opening of stores by URL."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from taskrun.errors import PluginError, StoreError
from taskrun.stores import open as open_module
from taskrun.stores.memory import MemoryStore
from taskrun.stores.open import open_store
from taskrun.stores.sqlite.store import SqliteStore


def opened(url: str) -> SqliteStore:
    """Open the SQLite store of a URL."""
    store = open_store(url)
    assert isinstance(store, SqliteStore)
    return store


def setting(store: SqliteStore, name: str) -> int:
    """Return the value of a SQLite setting of a store."""
    return int(store._execute(f"PRAGMA {name}").fetchone()[0])


def test_memory() -> None:
    for url in ("memory:", "memory://", "MEMORY:"):
        assert isinstance(open_store(url), MemoryStore)


def test_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """URLs have three slashes and a relative path, or four and an absolute path; special characters are escaped."""
    monkeypatch.chdir(tmp_path)
    for url, path in (
        ("sqlite:///a.db", "a.db"),
        ("sqlite:///deep/er/a.db", "deep/er/a.db"),
        (f"sqlite:///{tmp_path}/b.db", "b.db"),
        ("sqlite:///what%3F%20%23.db", "what? #.db"),
        ("SQLite:///c.db?synchronous=normal&timeout=0.5", "c.db"),
    ):
        store = opened(url)
        assert store.path == tmp_path / path
        assert (tmp_path / path).exists()
        assert setting(store, "synchronous") == (1 if "normal" in url else 2)
        assert setting(store, "busy_timeout") == (500 if "timeout" in url else 5000)
        store.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("runs.db", "'runs.db' is no URL of a store\n    hint: a store is memory:, sqlite:///relative"),
        ("", "is no URL"),
        ("sqlit:///x", "there is no kind of store 'sqlit'\n    hint: did you mean 'sqlite'?"),
        ("postgresql://x", "there is no kind of store 'postgresql'\n    hint: a store is"),
        ("memory:x", "a store in memory has no name"),
        ("sqlite:", "names no file"),
        ("sqlite:x.db", "names no file"),
        ("sqlite://x.db", "names no file"),
        ("sqlite:///", "names no file"),
        ("sqlite:////", "names no file"),
        ("sqlite://[", "is no URL: "),
        ("sqlite:///x.db?sync=FULL", "there is no setting 'sync'"),
        ("sqlite:///x.db?timeot=1", "did you mean 'timeout'?"),
        ("sqlite:///x.db?synchronous=OFF", "synchronous is FULL or NORMAL"),
        ("sqlite:///x.db?timeout=long", "timeout is a number of seconds"),
        ("sqlite:///x.db?timeout=-1", "timeout is a number of seconds"),
        ("sqlite:///x.db?timeout=nan", "timeout is a number of seconds"),
    ],
)
def test_wrong_urls(url: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError) as caught:
        open_store(url)
    assert message in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_stores_of_other_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [
        EntryPoint("mine", f"{__name__}:foreign", open_module.GROUP),
        EntryPoint("broken", f"{__name__}:nothing", open_module.GROUP),
    ]
    monkeypatch.setattr(open_module, "entry_points", lambda *, group: entries)
    assert open_store("mine://host/x") == "store of mine://host/x"
    with pytest.raises(PluginError, match=r"the store 'broken' .* cannot be loaded"):
        open_store("broken:")
    with pytest.raises(StoreError, match="did you mean 'mine'"):
        open_store("mines:")


def foreign(url: str) -> str:
    """Open a store, like a function of another package."""
    return f"store of {url}"
