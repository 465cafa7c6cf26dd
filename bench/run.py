"""Benchmark of steps: µs per step for several workloads (``make bench``).

Each line also has the ratio to the lower bound of ``floor.py``, measured in the same process. Each figure is the best
of several runs after a warm-up; on a shared machine the ratios are more reliable than the figures.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from floor import floor_sequence
from scripts import report as report_scripts

from taskrun import Flow, TaskManager

SHORT_STEP = '<step name="s{n}"><source>1</source></step>'
STEP = '<step name="s{n}"><input name="total"/><source>total + 1</source><output name="total"/></step>'
REPEATS = 5


def sequence(count: int) -> str:
    """Return a task of ``count`` script steps, each with one input and one output."""
    steps = "\n".join(STEP.format(n=n) for n in range(count))
    return f'<task><input name="total" type="int"/>\n<steps>\n{steps}\n</steps>\n<output name="total"/></task>'


def short_sequence(count: int) -> str:
    """Return a task of ``count`` script steps without inputs and outputs, for files with very many steps."""
    return f"<task><steps>{''.join(SHORT_STEP.format(n=n) for n in range(count))}</steps></task>"


def loop(count: int) -> str:
    """Return a task with a loop of ``count`` iterations of one script step."""
    step = STEP.format(n=0)
    return (
        f'<task><input name="total" type="int"/><steps><loop-n name="l" beginExpr="1" endExpr="{count}">'
        f'<input name="total"/><output name="total"/><steps>{step}</steps></loop-n></steps><output name="total"/></task>'
    )


def branches(count: int) -> str:
    """Return a task with a fork of ``count`` branches of one script step that never awaits."""
    return (
        f'<task><steps><fork-n name="f" countExpr="{count}" indexName="i"><steps>'
        '<step name="s"><input name="i"/><source>i + 1</source></step></steps>'
        "<aggregator>return aggResults.size()</aggregator></fork-n></steps></task>"
    )


def choices(count: int) -> str:
    """Return a task with a loop of ``count`` choices between three cases."""
    case = '<case match="{n}"><steps><step name="s"><source>{n}</source></step></steps></case>'
    cases = "".join(case.format(n=n) for n in range(3))
    return (
        f'<task><steps><loop-n name="l" beginExpr="1" endExpr="{count}" varName="i"><steps><choose name="c"><input name="i"/>'
        f"<decider>i % 3</decider>{cases}</choose></steps></loop-n></steps></task>"
    )


def measure(run: Callable[[], Awaitable[object]], count: int) -> float:
    """Return the best µs per step of several runs."""

    async def once() -> float:
        started = time.perf_counter()
        await run()
        return time.perf_counter() - started

    async def several() -> float:
        await run()
        gc.collect()
        return min([await once() for _ in range(REPEATS)])

    return asyncio.run(several()) / count * 1e6


def report(name: str, micros: float, floor: float | None = None) -> None:
    """Print the figure of a workload, and its ratio to the lower bound."""
    ratio = f"{micros / floor:8.1f} × floor" if floor else ""
    print(f"{name:52} {micros:9.2f} µs {ratio}")


def load_cost(path: Path, count: int) -> float:
    """Return the best µs per step of compiling a file of ``count`` steps."""

    def once() -> float:
        manager = TaskManager()
        gc.collect()
        started = time.perf_counter()
        manager.load(path)
        return time.perf_counter() - started

    once()
    return min(once() for _ in range(REPEATS)) / count * 1e6


def delta(count: int, touched: int) -> str:
    """Return a delta that changes ``touched`` of the ``count`` steps of another flow."""
    steps = "\n".join(
        f'<step name="s{n}" timeout="5s"><source>total + 2</source></step>' for n in range(0, count, count // touched)
    )
    return f'<task x:extends="like.task.xml">\n<steps>\n{steps}\n</steps></task>'


def main() -> int:
    """Run all workloads and print their figures."""
    manager = TaskManager()
    floor = floor_sequence(1000)
    print(f"Python {sys.version.split()[0]}\n")
    report("floor: bare coroutine tree, compiled scripts", floor)
    with tempfile.TemporaryDirectory() as folder:

        def flow(name: str, text: str) -> Flow:
            path = Path(folder) / f"{name}.task.xml"
            path.write_text(text)
            return manager.load(path)

        workloads: tuple[tuple[str, str, dict[str, int], int], ...] = (
            ("1,000 steps in sequence", sequence(1000), {"total": 0}, 1000),
            ("a loop of 10,000 turns", loop(10_000), {"total": 0}, 10_000),
            ("1,000 branches that do not suspend", branches(1000), {}, 1000),
            ("1,000 three-way choices", choices(1000), {}, 1000),
        )
        for name, text, inputs, count in workloads:
            compiled = flow(name.replace(" ", "_"), text)
            report(name, measure(lambda: manager.run_async(compiled, inputs), count), floor)  # noqa: B023 - run at once
        print("\nthe cost per step must not depend on the number of steps:")
        for count in (100, 100_000):
            compiled = flow(f"short_{count}", short_sequence(count))
            report(f"{count:,} short steps in sequence", measure(lambda: manager.run_async(compiled), count), floor)  # noqa: B023
        for count in (100, 100_000):
            compiled = flow(f"loop_{count}", loop(count))
            micros = measure(lambda: manager.run_async(compiled, {"total": 0}), count)  # noqa: B023
            report(f"a loop of {count:,} turns", micros, floor)
        print()
        five = flow("five", sequence(5))

        async def many() -> None:
            for _ in range(10_000):
                await manager.run_async(five, {"total": 0})

        micros = measure(many, 10_000)
        report("10,000 runs of a 5-step flow, per run", micros)
        print(f"{'':52} {1e6 / micros:9,.0f} runs/s")
        path = Path(folder) / "like.task.xml"
        path.write_text(sequence(1000))
        plain = load_cost(path, 1000)
        report("loading a file of 1,000 equal steps, per step", plain)
        over = Path(folder) / "delta.task.xml"
        over.write_text(delta(1000, 100))
        extended = load_cost(over, 1000)
        report("loading it with a delta that touches 100, per step", extended)
        print(f"{'':52} {extended / plain:9.2f} × the plain file (3)")
        steps = "\n".join(STEP.format(n=n).replace("+ 1", f"+ {n}") for n in range(1000))
        path.write_text(
            f'<task><input name="total" type="int"/>\n<steps>\n{steps}\n</steps>\n<output name="total"/></task>'
        )
        report("loading a file of 1,000 different steps, per step", load_cost(path, 1000))
    report_scripts()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
