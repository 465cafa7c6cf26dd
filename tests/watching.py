"""Observation of a run that several processes execute in a folder: its effects, and its records in the database.

    place = Place(folder, processes)
    owner = place.start("run", flow, "--allow", "effects")
    place.until(lambda: place.count("do") > 3)

Rules: the effects are read from a log outside the database (``kills/effects.py``). The database is read before the log,
so the log has the effects of all recorded steps.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from forking import Child, ForkServer, FreshProcesses

from taskrun.core.control import CANCEL
from taskrun.core.journal import StepRecord
from taskrun.core.states import RunState, StepState
from taskrun.durable.records import RunRecord
from taskrun.stores.sqlite.store import SqliteStore

FORWARD, WAITING, UNDOING, CANCELLING = "forward work", "retry delay", "undoing", "cancelling"
PHASES = (FORWARD, WAITING, UNDOING, CANCELLING)


class Effect(NamedTuple):
    """One line of the effects log: its kind (begin, do or undo), the process id, the path of the step with its attempt."""

    kind: str
    pid: int
    place: str

    @property
    def step(self) -> str:
        """The key of the record of the step, without its attempt."""
        return re.sub(r"(#\d+)?/\d+$", "", self.place)


class Snapshot(NamedTuple):
    """The content of the database, and the number of effects after it was read."""

    run: RunRecord | None
    records: dict[str, StepRecord]
    requests: tuple[str, ...]
    effects: int

    def finished(self, state: StepState) -> set[str]:
        """Return the keys of the steps that are recorded in a state."""
        return {key for key, record in self.records.items() if record.kind == "step" and record.state is state}

    def phase(self) -> str | None:
        """Return the phase of an active run, None for a run that is not active."""
        if self.run is None or not self.run.state.active:
            return None
        if CANCEL in self.requests:
            return CANCELLING
        if self.run.state is RunState.REVERTING:
            return UNDOING
        last = list(self.records.values())[-1:]
        waits = last and last[0].kind == "attempt" and json.loads(last[0].outputs or "{}")["due"] > time.time()
        return WAITING if waits else FORWARD


class Place:
    """A folder with a database of one run; ``started`` are the processes that were started in it."""

    def __init__(self, folder: Path, processes: FreshProcesses | ForkServer) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.processes = processes
        self.started: list[Child] = []

    def start(self, *words: str) -> Child:
        """Start a ``taskrun`` command with the store of this folder."""
        child = self.processes.start(
            self.folder, *words, "--allow", "effects", "--store", f"sqlite:///{self.folder}/runs.db"
        )
        self.started.append(child)
        return child

    def effects(self) -> list[Effect]:
        """Return the lines of the effects log."""
        path = self.folder / "effects.log"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [Effect(kind, int(pid), place) for kind, pid, place in (line.split(" ") for line in lines)]

    def steps(self, kind: str) -> list[str]:
        """Return the steps of the effects of a kind, in order."""
        return [effect.step for effect in self.effects() if effect.kind == kind]

    def snapshot(self) -> Snapshot:
        """Read the database, then the effects log."""
        if not (self.folder / "runs.db").exists():
            return Snapshot(None, {}, (), 0)
        store = SqliteStore(self.folder / "runs.db", timeout=20)
        try:
            runs = store.runs()
            if not runs:
                return Snapshot(None, {}, (), 0)
            assert len(runs) == 1, "a run was created twice"
            run_id = runs[0].run_id
            records = {record.key: record for record in store.records(run_id)}
            return Snapshot(store.load(run_id), records, store.requests(run_id), len(self.effects()))
        finally:
            store.close()

    def run(self) -> RunRecord:
        """Return the record of the run."""
        run = self.snapshot().run
        assert run is not None
        return run

    def until(self, condition: Callable[[], object], seconds: float = 20) -> None:
        """Wait until a condition is true, at most ``seconds``."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "the condition did not become true: " + "\n".join(
                child.err for child in self.started
            )
            time.sleep(0.005)
