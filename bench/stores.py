"""Benchmark of stores: µs per committed record, compared with raw ``sqlite3`` (``python bench/stores.py``).

The raw figure is one INSERT of the same key and outputs into a table without an index, and a commit. Each round
measures both; the printed ratio is the median of the rounds' ratios, because the speed of a shared disk varies.
Measured are a write of the store, ``save_now`` and ``save`` of a journal, and ``save`` in a hundred concurrent runs.
The last line is the time for loading the records of a resumed run.
"""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from taskrun.core.journal import StepRecord
from taskrun.core.states import RunState
from taskrun.durable.commit_groups import CommitGroup
from taskrun.durable.journal import Journal
from taskrun.durable.records import Owner, RunRecord
from taskrun.stores.sqlite.store import SqliteStore, Synchronous

OUTPUTS = '{"RESULT":42,"total":"12.50"}'
TABLE = "CREATE TABLE steps (id INTEGER PRIMARY KEY, run TEXT, key TEXT, outputs TEXT)"
RUN = "0123456789abcdef0123456789abcdef"
AT_ONCE = 100
ROUNDS = 7
LOADED = 10_000


class Raw:
    """Table in a SQLite file, with one INSERT and commit per record."""

    def __init__(self, path: Path, synchronous: Synchronous) -> None:
        self.connection = sqlite3.connect(path)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute(f"PRAGMA synchronous = {synchronous}")
        self.connection.execute(TABLE)

    def round(self, number: int, count: int) -> None:
        """Insert ``count`` rows, each with its own commit."""
        connection = self.connection
        for index in range(count):
            row = (RUN, f"main/loop[{number}.{index}]/call", OUTPUTS)
            connection.execute("INSERT INTO steps (run, key, outputs) VALUES (?, ?, ?)", row)
            connection.commit()


class Ours:
    """A SqliteStore, and journals that write to it."""

    def __init__(self, path: Path, synchronous: Synchronous) -> None:
        self.store = SqliteStore(path, synchronous=synchronous)
        for run_id in (RUN, *map(str, range(AT_ONCE))):
            run = RunRecord(run_id=run_id, flow="bench", state=RunState.RUNNING, owner=Owner.here())
            self.store.create(run)

    def writes(self, number: int, count: int) -> None:
        """Write ``count`` records, each with its own commit, without a journal."""
        for index in range(count):
            self.store.write(RUN, 1, [_record(f"main/loop[{number}.{index}]/call")])

    def now(self, number: int, count: int) -> None:
        """Write ``count`` records with ``Journal.save_now``, which does not await."""
        journal = Journal(self.store, RUN, 1)
        for index in range(count):
            journal.save_now(_record(f"main/now[{number}.{index}]/call"))

    def journal(self, number: int, count: int) -> None:
        """Write ``count`` records one after the other with ``Journal.save``."""

        async def save() -> None:
            journal = Journal(self.store, RUN, 1)
            for index in range(count):
                await journal.save(_record(f"main/journal[{number}.{index}]/call"))

        asyncio.run(save())

    def at_once(self, number: int, count: int) -> None:
        """Write ``count`` records with ``Journal.save`` in a hundred concurrent runs."""
        group = CommitGroup(self.store)

        async def one(run_id: str) -> None:
            journal = Journal(self.store, run_id, 1, group=group)
            for index in range(count // AT_ONCE):
                await journal.save(_record(f"main/loop[{number}.{index}]/call"))

        async def all_of_them() -> None:
            await asyncio.gather(*(one(str(index)) for index in range(AT_ONCE)))

        asyncio.run(all_of_them())


def _record(key: str) -> StepRecord:
    return StepRecord(key, outputs=OUTPUTS, started=1.5, ended=2.5)


def measured(work: Callable[[int, int], None], number: int, count: int) -> float:
    """Return the µs per record of one round of ``work``."""
    started = time.perf_counter()
    work(number, count)
    return (time.perf_counter() - started) / count * 1e6


def report(synchronous: Synchronous, count: int, folder: Path) -> None:
    """Print the figures of one setting of SQLite's ``synchronous``."""
    raw, ours = Raw(folder / f"raw-{synchronous}.db", synchronous), Ours(folder / f"{synchronous}.db", synchronous)
    kinds = {"write": ours.writes, "save_now": ours.now, "save": ours.journal}
    base: list[float] = []
    at_once = f"{AT_ONCE} runs"
    times: dict[str, list[float]] = {name: [] for name in (*kinds, at_once)}
    for number in range(ROUNDS):
        base.append(measured(raw.round, number, count))
        for name, work in kinds.items():
            times[name].append(measured(work, number, count))
        # many records, so that the start of the event loop does not matter
        times[at_once].append(measured(ours.at_once, number, 100 * AT_ONCE))
    print(f"{synchronous:7} raw INSERT+commit {statistics.median(base):9.1f} µs")
    for name, figures in times.items():
        ratio = statistics.median(one / other for one, other in zip(figures, base, strict=True))
        print(f"{'':7} {name:17} {statistics.median(figures):9.1f} µs {ratio:8.2f} ×")


def report_loading(folder: Path) -> None:
    """Print the time for loading the records of a resumed run."""
    store = SqliteStore(folder / "loading.db", synchronous="NORMAL")
    store.create(RunRecord(run_id=RUN, flow="bench", state=RunState.RUNNING, owner=Owner.here()))
    store.write(RUN, 1, [_record(f"main/loop[{index}]/call") for index in range(LOADED)])
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        Journal(store, RUN, 1, store.records(RUN))
        times.append(time.perf_counter() - started)
    print(f"{'':7} {LOADED} records loaded in {statistics.median(times) * 1e3:.0f} ms")


def main() -> None:
    """Print the figures of both settings of ``synchronous``; the first argument may be the folder for the files."""
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as name:
        report("NORMAL", 3000, Path(name))
        report("FULL", 300, Path(name))
        report_loading(Path(name))


if __name__ == "__main__":
    main()
