"""Processes that resume the same runs at the same moment: of each run one is the owner, and tells by what it does.

    won, lost = race(folder, races=50)

Rules: the winner's step waits until all others have been refused, so nobody comes too late to be refused. Run as a program
this is one racer, which resumes each run that it reads on standard input.
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
"""How many milliseconds a winner waits for the others."""


class Race:
    """What a racer does for its run: it says that it is the owner, and waits for those who are refused."""

    def __init__(self, others: int) -> None:
        self.others = others
        self.run_id = ""

    async def win(self) -> int:
        """Be the owner."""
        _append(self.run_id, f"{os.getpid()}\n")
        for _ in range(PATIENCE):
            if _size(f"{self.run_id}.refused") >= self.others:
                return os.getpid()
            await asyncio.sleep(0.001)
        raise TimeoutError("the others were not refused")

    def refuse(self) -> None:
        """Be refused."""
        _append(f"{self.run_id}.refused", "x")


def _append(name: str, text: str) -> None:
    file = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, text.encode())
    os.close(file)


def _size(name: str) -> int:
    path = Path(name)
    return path.stat().st_size if path.exists() else 0


def race(folder: Path, races: int, racers: int = 2) -> tuple[Counter[int], list[str]]:
    """Let processes race for so many runs; return how often each has won, and all that was not as it has to be."""
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
            problems.append(f"race {index}: owners {owners}, they say {ended}")
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
    """Resume a run, and return how that ended and who was the owner."""
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
    """Resume each run that standard input names."""
    one = Race(int(others))
    with closing(TaskManager(store=url, functions={"win": one.win})) as manager:
        print(json.dumps("ready"), flush=True)  # noqa: T201 - this is how it talks
        for line in sys.stdin:
            one.run_id = line.strip()
            print(json.dumps(_resume(manager, one)), flush=True)  # noqa: T201


if __name__ == "__main__":
    be_a_racer(*sys.argv[1:])
