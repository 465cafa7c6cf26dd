"""Stores shared by real processes: competing claims, and writers that are killed, paused, or run out of disk space."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from taskrun.core.journal import StepRecord
from taskrun.core.states import RunState
from taskrun.durable.records import Owner, RunRecord
from taskrun.errors import FencedError, StoreError
from taskrun.stores.sqlite.store import SqliteStore

RACES = 300
KILLS = 8

HEAD = """
import json, sys, time
from taskrun.core.journal import StepRecord
from taskrun.durable.records import Owner, RunRecord
from taskrun.core.states import RunState
from taskrun.durable.store import Write
from taskrun.errors import RunOwnedError, StoreError
from taskrun.stores.sqlite.store import SqliteStore
store = SqliteStore(sys.argv[1], synchronous="NORMAL", timeout=30)
"""

RACER = """
owner, won, lost = Owner.here(), [], []
print("ready", flush=True)
sys.stdin.readline()
for index in range(int(sys.argv[2])):
    try:
        won.append((index, store.claim(f"r{index}", owner, time.time(), 60)))
    except RunOwnedError as problem:
        lost.append(str(problem))
print(json.dumps([won, lost]), flush=True)
sys.stdin.readline()  # a racer that ends is dead, and what it has won is free
"""

WRITER = """
owner = Owner.here()
epoch = store.claim("r", owner, time.time(), 60)
for index in range(10**9):
    value = json.dumps("x" * (300_000 if index % 10 == 0 else 20) + str(index))
    records = [StepRecord(f"{epoch}/{index}/{part}", outputs=value) for part in range(1 + index % 3)]
    store.write("r", epoch, records)
    print(f"{epoch}/{index}", flush=True)
"""

FULL_DISK = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
count = 0
try:
    while True:
        store.write("r", 1, [StepRecord(str(count), outputs=json.dumps("x" * int(sys.argv[3])))])
        count += 1
except StoreError as problem:
    print(json.dumps([count, str(problem)]))
"""


def started(program: str, *args: object) -> subprocess.Popen[str]:
    """Start a Python program that has opened a store."""
    return subprocess.Popen(
        [sys.executable, "-c", HEAD + program, *map(str, args)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


def line(process: subprocess.Popen[str]) -> str:
    """Read a line that a process printed."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def say(process: subprocess.Popen[str]) -> None:
    """Let a process continue."""
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def end(process: subprocess.Popen[str]) -> None:
    """Let a process end."""
    process.communicate(timeout=30)


def test_one_of_several_processes_gets_a_run(tmp_path: Path) -> None:
    """Exactly one of several processes claims a run; the error of the others names the owner."""
    store = SqliteStore(tmp_path / "x.db", synchronous="NORMAL")
    for index in range(RACES):
        store.create(RunRecord(run_id=f"r{index}", flow="f", state=RunState.SUSPENDED))
    racers = [started(RACER, tmp_path / "x.db", RACES) for _ in range(3)]
    assert [line(racer) for racer in racers] == ["ready"] * 3
    for racer in racers:
        say(racer)
    results = [json.loads(line(racer)) for racer in racers]
    winners = {index: racer for racer, (won, _) in zip(racers, results, strict=True) for index, _ in won}
    assert sum(len(won) for won, _ in results) == RACES
    assert all(epoch == 2 for won, _ in results for _, epoch in won)
    assert sum(len(lost) for _, lost in results) == 2 * RACES
    assert all("is owned by process " in text for _, lost in results for text in lost)
    for index, racer in winners.items():
        owner = store.load(f"r{index}").owner
        assert owner is not None
        assert owner.pid == racer.pid
    for racer in racers:
        end(racer)
    assert store.claim("r0", Owner.here(), time.time(), 60) == 3, "the winner is dead, so the run is free at once"
    store.close()


def test_commits_of_a_killed_writer_exist(tmp_path: Path) -> None:
    """After SIGKILL all acknowledged commits exist, transactions are whole, and the run can be claimed at once."""
    store = SqliteStore(tmp_path / "x.db")
    store.create(RunRecord(run_id="r", flow="f", state=RunState.RUNNING))
    dice = random.Random(7)
    for _ in range(KILLS):
        writer = started(WRITER, tmp_path / "x.db")
        reported = [line(writer) for _ in range(dice.randrange(1, 30))]
        time.sleep(dice.random() * 0.02)
        writer.kill()
        assert writer.stdout is not None
        rest = writer.stdout.read()
        end(writer)
        reported += rest[: rest.rfind("\n") + 1].split()
        assert reported
        assert all(reported)
        epoch = store.load("r").epoch
        found = [record for record in store.records("r") if record.key.startswith(f"{epoch}/")]
        by_turn: dict[str, list[StepRecord]] = {}
        for record in found:
            by_turn.setdefault(record.key.rpartition("/")[0], []).append(record)
        assert list(by_turn)[: len(reported)] == reported
        assert len(by_turn) <= len(reported) + 1, "one transaction at most was committed without being reported"
        for turn, records in by_turn.items():
            index = int(turn.partition("/")[2])
            assert len(records) == 1 + index % 3
            assert all(json.loads(record.outputs or "").endswith(f"x{index}") for record in records)
    assert store.claim("r", Owner.here(), time.time(), 60) == epoch + 1
    store.close()


def test_a_writer_that_wakes_up_too_late_is_refused(tmp_path: Path) -> None:
    """A process that is paused, loses its run to another owner and continues cannot write."""
    store = SqliteStore(tmp_path / "x.db", timeout=30)
    store.create(RunRecord(run_id="r", flow="f", state=RunState.RUNNING))
    program = WRITER.replace('print(f"{epoch}', 'time.sleep(0.001); print(f"{epoch}')
    writer = started(program, tmp_path / "x.db")
    assert line(writer) == "2/0"
    impatient = SqliteStore(tmp_path / "x.db", timeout=0.05)
    while True:  # stop it outside its transaction: a stopped process keeps its locks
        os.kill(writer.pid, signal.SIGSTOP)
        try:
            epoch = impatient.claim("r", Owner.here(), time.time() + 100, 60)
            break
        except StoreError:
            os.kill(writer.pid, signal.SIGCONT)
            time.sleep(0.01)
    impatient.close()
    before = len(store.records("r"))
    store.write("r", epoch, [StepRecord("mine")])
    os.kill(writer.pid, signal.SIGCONT)
    end(writer)
    assert writer.returncode == 1, "FencedError ended it"
    assert len(store.records("r")) == before + 1
    with pytest.raises(FencedError):
        store.write("r", 2, [StepRecord("late")])
    store.close()


@pytest.mark.parametrize("size", [100, 400_000])
def test_a_disk_that_is_full(tmp_path: Path, size: int) -> None:
    """The write fails with an explanation, commits are kept, and the store works again when there is space."""
    with_room = SqliteStore(tmp_path / "x.db")
    with_room.create(RunRecord(run_id="r", flow="f", state=RunState.RUNNING))
    with_room.close()
    process = started(FULL_DISK, tmp_path / "x.db", 1_500_000 if size == 100 else 300_000, size)
    count, problem = json.loads(line(process))
    end(process)
    assert "x.db" in problem
    assert "hint: check the disk" in problem or "hint: make room" in problem
    assert (count > 100) == (size == 100)
    store = SqliteStore(tmp_path / "x.db")
    assert [record.key for record in store.records("r")] == [str(index) for index in range(count)]
    store.write("r", 1, [StepRecord("again", outputs=json.dumps("x" * size))])
    folder = tmp_path / "x.db.files"
    assert not folder.exists() or not [path for path in folder.iterdir() if path.name.startswith("new-")]
    store.close()
