"""``taskrun delete`` and ``taskrun purge``: which runs are deleted and which are not."""

from __future__ import annotations

import os
import socket

import pytest
from sample_runs import BOOKING, CALLED, GREETING, LOST, NOW, WORKING, a_run

from taskrun.core.states import RunState
from taskrun.durable.records import Owner
from taskrun.stores.open import open_store


def left(call) -> set[str]:
    """Return the ids of the runs that are still in the store."""
    return {line.split()[0] for line in call("runs").out.splitlines()[1:]}


def test_delete(call, store):
    """Several runs are deleted at once, with the runs that they called."""
    ended = call("delete", BOOKING[:6], LOST[:3], BOOKING)
    assert ended == (0, f"deleted run {BOOKING}\ndeleted run {LOST}\n", "")
    assert left(call) == {GREETING, WORKING}


def test_delete_a_caller_and_a_called_run(call, store):
    """Deleting a run that was deleted with its caller is no error."""
    assert call("delete", LOST, CALLED) == (0, f"deleted run {LOST}\nrun {CALLED} was already deleted\n", "")


def test_an_active_run_is_not_deleted(call, store):
    """The owner of an active run is reported; the other runs are deleted."""
    ended = call("delete", WORKING, GREETING)
    assert (ended.status, ended.out) == (3, f"deleted run {GREETING}\n")
    assert f"run {WORKING} is owned by process 4711 on far.example, which executes it" in ended.err
    assert WORKING in left(call)
    assert call("delete", WORKING).out == ""


def test_an_owner_on_this_host(call, store):
    """A process on this host counts as alive without a recent heartbeat."""
    opened = open_store(f"sqlite:///{store}")
    owner = Owner(socket.gethostname(), os.getpid(), "t")
    opened.create(a_run("e0", 60, state=RunState.RUNNING, owner=owner, heartbeat=NOW))
    opened.close()
    assert call("delete", "e0").status == 3
    assert "e0" in left(call)


def test_a_wrong_id_removes_nothing(call, store):
    """All ids are resolved before the first run is deleted."""
    ended = call("delete", GREETING, "zz")
    assert (ended.status, ended.out) == (3, "")
    assert "there is no run zz" in ended.err
    assert GREETING in left(call)
    assert call("delete").status == 2


def test_purge(call, store):
    """``purge`` deletes runs that ended before the time, and never active or suspended ones."""
    assert call("purge", "--older-than", "1d") == (0, "deleted 0 runs\n", "")
    assert call("purge", "--older-than", "95s") == (0, "deleted 1 run\n", "")
    assert left(call) == {CALLED, WORKING, LOST, GREETING}
    assert call("purge", "--older-than", "0s") == (0, "deleted 1 run\n", "")
    assert left(call) == {CALLED, WORKING, LOST}


@pytest.mark.parametrize("words", [[], ["--older-than", "30"], ["--older-than", "-1d"], ["--older-than", "1y"]])
def test_purge_needs_a_time(call, store, words):
    """``--older-than`` is required and needs a unit."""
    ended = call("purge", *words)
    assert (ended.status, ended.out) == (2, "")
    assert "--older-than" in ended.err
    assert len(left(call)) == 5
