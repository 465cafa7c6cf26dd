"""Tests of listing, showing and deleting runs from Python, with each kind of store."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sample_runs import BOOKING, CALLED, ELSEWHERE, GREETING, LOST, NOW, START, STEPS, WORKING, a_run, fill

from taskrun.core.states import RunState
from taskrun.durable.history import History, is_orphaned, resolve_run_id
from taskrun.durable.records import Owner
from taskrun.durable.store import Store
from taskrun.errors import RunOwnedError, StoreError, UnknownRunError
from taskrun.stores.memory import MemoryStore
from taskrun.stores.sqlite.store import SqliteStore


@pytest.fixture(params=["memory", "sqlite"])
def history(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[History]:
    """The recorded runs of ``sample_runs.py``, at the time NOW."""
    monkeypatch.setattr(time, "time", lambda: NOW)
    store: Store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "runs.db")
    fill(store)
    yield History(store)
    store.close()


def ids(history: History, **settings: object) -> list[str]:
    return [run.run_id for run in history.runs(**settings)]


def test_runs(history: History) -> None:
    """Runs are listed newest first, and can be selected by state, flow and time."""
    assert ids(history) == [CALLED, WORKING, LOST, GREETING, BOOKING]
    assert ids(history, state="running") == [WORKING, LOST]
    assert ids(history, state=RunState.SUCCEEDED) == [GREETING]
    assert ids(history, flow="pay") == [CALLED]
    assert ids(history, since=START + 30) == [CALLED, WORKING]
    assert ids(history, since=datetime.fromtimestamp(START + 40, UTC)) == [CALLED]
    assert ids(history, limit=2) == [CALLED, WORKING]
    assert ids(history, limit=0) == []


def test_wrong_selections(history: History) -> None:
    """A wrong selection raises ValueError that names the allowed values."""
    with pytest.raises(ValueError, match="there is no state 'SUCEEDED'; did you mean 'SUCCEEDED'"):
        history.runs(state="SUCEEDED")
    with pytest.raises(ValueError, match="there is no state 'X'; there are CREATED, RUNNING"):
        history.runs(state="X")
    with pytest.raises(ValueError, match="limit=-1"):
        history.runs(limit=-1)
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="older_than"):
            history.purge(wrong)


def test_show(history: History) -> None:
    """``show`` returns the run with all its records in the tree."""
    details = history.show(BOOKING)
    assert details.run == history.store.load(BOOKING)
    assert details.run.state is RunState.REVERT_FAILED
    pay = next(step for step in details.steps[0].steps if step.name == "pay#2")
    assert (pay.record, pay.attempt) == (next(one for one in STEPS if one.key == "main/pay#2"), 2)
    with pytest.raises(UnknownRunError):
        history.show("nobody")


def test_an_orphaned_run() -> None:
    """A run is orphaned if its owner is dead or silent; a run that is not active has no owner."""
    run = a_run("r", 0, state=RunState.RUNNING, owner=ELSEWHERE, heartbeat=NOW - 30)
    assert not is_orphaned(run, NOW)
    assert is_orphaned(run, NOW + 0.1)
    assert not is_orphaned(a_run("r", 0, state=RunState.FAILED), NOW)
    assert is_orphaned(a_run("r", 0, state=RunState.RUNNING), NOW)
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    here = Owner(socket.gethostname(), ended.pid, "t")
    assert is_orphaned(a_run("r", 0, state=RunState.RUNNING, owner=here, heartbeat=NOW), NOW)


def test_delete(history: History) -> None:
    """Ended, failed, suspended and orphaned runs are deleted with the runs that they called; owned runs are not."""
    for run_id in (GREETING, BOOKING, LOST):
        history.delete(run_id)
    assert ids(history) == [WORKING]
    with pytest.raises(RunOwnedError, match="is owned by process 4711 on far"):
        history.delete(WORKING)
    with pytest.raises(UnknownRunError):
        history.delete(CALLED)
    assert ids(history) == [WORKING]


def test_the_owner_of_a_deleted_run_is_fenced(history: History) -> None:
    """The next write of a process whose run was deleted raises StoreError."""
    history.delete(LOST)
    with pytest.raises(StoreError, match="deleted while it ran"):
        history.store.write(LOST, 1, (), {"state": RunState.SUCCEEDED})


def test_purge(history: History) -> None:
    """Only runs that ended long enough ago are deleted, no suspended ones."""
    assert history.purge(96.1) == 0
    assert history.purge(95) == 1
    assert ids(history) == [CALLED, WORKING, LOST, GREETING]
    assert history.purge(0) == 1
    assert ids(history) == [CALLED, WORKING, LOST]


def test_resolve_run_id(history: History) -> None:
    """A run is found by its id or by the beginning of exactly one id."""
    assert resolve_run_id(history.store, BOOKING) == BOOKING
    assert resolve_run_id(history.store, "3f9a0") == BOOKING
    assert resolve_run_id(history.store, "b") == LOST
    history.store.create(a_run("b00", 50))
    assert resolve_run_id(history.store, "b00") == "b00"  # an id is meant before a beginning of others


def test_an_id_that_cannot_be_resolved(history: History) -> None:
    """The error lists the runs that match, or a similar id."""
    with pytest.raises(StoreError) as found:
        resolve_run_id(history.store, "3f9a")
    assert str(found.value) == (
        "the ids of 2 runs begin with '3f9a':"
        f"\n    {GREETING}  greet  SUCCEEDED\n    {BOOKING}  booking  REVERT_FAILED\n    hint: give more characters"
    )
    with pytest.raises(
        UnknownRunError, match="there is no run 3f9b04\n    hint: did you mean '3f9a04'\\? 'taskrun runs'"
    ):
        resolve_run_id(history.store, "3f9b04")
    for text in ("", "%", "zzz"):
        with pytest.raises(UnknownRunError, match=f"there is no run {text}\n    hint: 'taskrun runs' lists them"):
            resolve_run_id(history.store, text)


def test_a_long_list_is_cut() -> None:
    """The error about an ambiguous beginning lists ten runs."""
    store = MemoryStore()
    for number in range(13):
        store.create(a_run(f"a{number}", number))
    with pytest.raises(StoreError, match=r"a12  greet.*(\n.*){9}\n    and 3 more\n"):
        resolve_run_id(store, "a")


def test_damage_that_sqlite_does_not_detect(tmp_path: Path) -> None:
    """The StoreError names the damaged run."""
    store = SqliteStore(tmp_path / "runs.db")
    fill(store)
    with sqlite3.connect(tmp_path / "runs.db") as connection:
        connection.execute("UPDATE steps SET signal = 'NIXT' WHERE key = 'main/fetch'")
    connection.close()
    with pytest.raises(StoreError, match=r"a record in it cannot be read: it is damaged .KeyError: 'NIXT'"):
        History(store).show(BOOKING)
    assert len(History(store).runs()) == 5
    store.close()
