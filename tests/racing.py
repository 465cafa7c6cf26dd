"""Races between processes that resume the same runs at the same moment: one of them becomes the owner of each run.

    won, lost = race(folder, races=50)

Rules: the step of the winner waits until all others have been refused, so that none of them starts after its end. As a
program, this module is one racer: it resumes each run whose id it reads from standard input.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from taskrun import TaskManager
from taskrun.errors import RunOwnedError, TaskrunError

FLOW = (
    '<task name="race"><steps><suspend name="line"/><step name="win"><source>await win()</source></step></steps></task>'
)
PATIENCE = 20_000
"""The milliseconds that a winner waits for the others."""


class Race:
    """The step of a race: reports that this process is the owner, and waits until all others are refused."""

    def __init__(self, others: int) -> None:
        self.others = others
        self.run_id = ""

    async def win(self) -> int:
        """Report this process as the owner; return its id when all others are refused."""
        _append(self.run_id, f"{os.getpid()}\n")
        for _ in range(PATIENCE):
            if _size(f"{self.run_id}.refused") >= self.others:
                return os.getpid()
            await asyncio.sleep(0.001)
        raise TimeoutError("the others were not refused")

    def refuse(self) -> None:
        """Report that this process was refused."""
        _append(f"{self.run_id}.refused", "x")


def _append(name: str, text: str) -> None:
    file = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, text.encode())
    os.close(file)


def _size(name: str) -> int:
    path = Path(name)
    return path.stat().st_size if path.exists() else 0


def race(folder: Path, races: int, racers: int = 2) -> tuple[Counter[int], list[str]]:
    """Let processes race for runs; return the wins by process id, and a message for each race with a wrong outcome."""
    url = f"sqlite:///{folder}/races.db?synchronous=NORMAL&timeout=30"
    (folder / "race.task.xml").write_text(FLOW, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    processes = [
        subprocess.Popen(
            [sys.executable, __file__, url, str(racers - 1)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder, env=environment,
        )
        for _ in range(racers)
    ]  # fmt: skip
    with closing(TaskManager(store=url, functions={"win": None})) as manager:
        asyncio.run(_suspended(manager, folder, races))
    for process in processes:
        _said(process)  # it is ready
    winners: Counter[int] = Counter()
    problems: list[str] = []
    for index in range(races):
        for process in processes:
            _tell(process, f"r{index}")
        ended = [_said(process) for process in processes]
        owners = [int(line) for line in (folder / f"r{index}").read_text().split()]
        winners.update(owners)
        wanted = sorted([["won", owners[0]], *[["refused", owners[0]]] * (racers - 1)])
        if len(owners) != 1 or sorted(ended) != wanted:
            problems.append(f"race {index}: owners {owners}, outcomes {ended}")
    for process in processes:
        process.communicate(timeout=30)
    return winners, problems


async def _suspended(manager: TaskManager, folder: Path, races: int) -> None:
    await asyncio.gather(*(manager.run_async(folder / "race.task.xml", run_id=f"r{index}") for index in range(races)))


def _tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def _said(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def _resume(manager: TaskManager, one: Race) -> list[object]:
    """Resume a run; return "won" or "refused" with the process id of the owner, or an unexpected error."""
    try:
        return ["won", manager.resume(one.run_id).result]
    except RunOwnedError as error:
        one.refuse()
        words = str(error).split()
        return ["refused", int(words[words.index("process") + 1])]
    except TaskrunError as error:
        one.refuse()
        return [type(error).__name__, str(error)]


def be_a_racer(url: str, others: str) -> None:
    """Resume each run whose id standard input has, and write the outcomes to standard output."""
    one = Race(int(others))
    with closing(TaskManager(store=url, functions={"win": one.win})) as manager:
        print(json.dumps("ready"), flush=True)  # noqa: T201 - read by the test
        for line in sys.stdin:
            one.run_id = line.strip()
            print(json.dumps(_resume(manager, one)), flush=True)  # noqa: T201


if __name__ == "__main__":
    be_a_racer(*sys.argv[1:])
