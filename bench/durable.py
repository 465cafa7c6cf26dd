"""Benchmark of recorded runs: µs per step of a run in SQLite, compared with raw ``sqlite3`` (``make bench``).

The raw figure is one INSERT and commit per step, as in ``stores.py``. Each round measures it and a flow of script steps
with one input and one output; the ratio is the median of the rounds' ratios. Also measured: a hundred concurrent runs,
per step, and the time that a resumed run of many recorded steps needs until its next step starts.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from stores import Raw, measured

from taskrun import Flow, TaskManager
from taskrun.core.states import RunState
from taskrun.errors import StepError
from taskrun.stores.sqlite.store import SqliteStore, Synchronous

ROUNDS = 7
STEP = '<step name="s{n}"><input name="total"/><source>total + 1</source><output name="total"/></step>'
AT_ONCE = 100
LONG = 10_000
LIMITS = {"NORMAL": 2.0, "FULL": 1.3}


def sequence(count: int, last: str = "") -> str:
    """Return a task of ``count`` script steps, with ``last`` as an additional step."""
    steps = "\n".join(STEP.format(n=n) for n in range(count))
    return (
        f'<task name="bench"><input name="total" type="int"/><steps>{steps}{last}</steps><output name="total"/></task>'
    )


def flow_of(manager: TaskManager, folder: Path, name: str, text: str) -> Flow:
    """Write a flow to a file in ``folder``, compile it and return it."""
    path = folder / f"{name}.task.xml"
    path.write_text(text)
    return manager.load(path)


def report(synchronous: Synchronous, folder: Path) -> None:
    """Print the figures of one setting of SQLite's ``synchronous``."""
    raw = Raw(folder / f"raw-{synchronous}.db", synchronous)
    manager = TaskManager(store=SqliteStore(folder / f"{synchronous}.db", synchronous=synchronous))
    count = 1000 if synchronous == "NORMAL" else 300
    flow = flow_of(manager, folder, f"sequence-{count}", sequence(count))
    base, times = [], []

    def run(_number: int, _count: int) -> None:
        manager.run(flow, {"total": 0})

    for number in range(ROUNDS):
        base.append(measured(raw.round, number, count))
        times.append(measured(run, number, count))
    ratio = statistics.median(one / other for one, other in zip(times, base, strict=True))
    print(f"{synchronous:7} raw INSERT+commit            {statistics.median(base):9.1f} µs")
    print(
        f"{'':7} a durable step               {statistics.median(times):9.1f} µs {ratio:8.2f} × ({LIMITS[synchronous]})"
    )
    ten = flow_of(manager, folder, "ten", sequence(10))

    async def at_once() -> None:
        await asyncio.gather(*(manager.run_async(ten, {"total": 0}) for _ in range(AT_ONCE)))

    together = [measured(lambda _, __: asyncio.run(at_once()), number, 10 * AT_ONCE) for number in range(ROUNDS)]
    print(f"{'':7} {AT_ONCE} runs of 10 steps at once  {statistics.median(together):9.1f} µs a step (15)")
    long = flow_of(manager, folder, "hundred", sequence(100))

    async def longer() -> None:
        await asyncio.gather(*(manager.run_async(long, {"total": 0}) for _ in range(AT_ONCE)))

    together = [measured(lambda _, __: asyncio.run(longer()), number, 100 * AT_ONCE) for number in range(3)]
    print(f"{'':7} {AT_ONCE} runs of 100 steps at once {statistics.median(together):9.1f} µs a step (15)")


def report_resuming(folder: Path) -> None:
    """Print the time that a resumed run of many recorded steps needs until its next step starts."""
    started: list[float] = []
    store = SqliteStore(folder / "resuming.db", synchronous="NORMAL")
    manager = TaskManager(store=store, functions={"begun": lambda: started.append(time.perf_counter())})
    text = (
        '<task name="long"><steps><loop-n name="l" beginExpr="1" endExpr="{count}" varName="i"><steps>'
        '<step name="s"><input name="i"/><source>i + 1</source></step></steps></loop-n>'
        '<step name="next"><source>begun()\n1 / 0</source></step></steps></task>'
    )
    for kind, flow_text in (
        ("in a loop", text.replace("{count}", str(LONG))),
        (
            "in sequence",
            sequence(LONG, '<step name="next"><source>begun()\n1 / 0</source></step>').replace(
                'type="int"', 'value="${0}"'
            ),
        ),
    ):
        flow = flow_of(manager, folder, f"long-{len(kind)}", flow_text)
        try:
            manager.run(flow)
        except StepError as error:
            assert "ZeroDivisionError" in str(error), error  # noqa: PT017 - its last step fails
        run = store.runs(RunState.FAILED)[0].run_id
        again = time.perf_counter()
        try:
            manager.resume(run)
        except StepError as error:
            assert "ZeroDivisionError" in str(error), error  # noqa: PT017 - likewise
        print(f"{'':7} resuming {LONG:,} steps {kind}: {started[-1] - again:6.2f} s until the next begins (1)")


def main() -> int:
    """Print the figures of both settings of ``synchronous``."""
    print(f"Python {sys.version.split()[0]}, recorded runs")
    with tempfile.TemporaryDirectory() as folder:
        for synchronous in ("NORMAL", "FULL"):
            report(synchronous, Path(folder))
        report_resuming(Path(folder))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
