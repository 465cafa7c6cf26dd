"""Processes that run ``taskrun`` without the time that Python takes to start: a server forks them.

    with ForkServer(modules) as server:
        child = server.start(folder, "resume", "r1")
        os.kill(child.pid, signal.SIGKILL)
        child.wait()

Rules: what the server forks is a process like any other, which can be stopped and killed. The server has run a flow before, and
nothing is left of that but what was imported, so a child begins as a fresh process does. Run as a program this is the server.
"""

from __future__ import annotations

import gc
import io
import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, Self

KILLS = Path(__file__).parent / "kills"
"""The flows of processes that are killed, and the module that they use."""
WARM = str(KILLS / "warm.task.xml")
"""A flow that needs what the others need."""
_INTERRUPT = (signal.SIGINT,)


class Ended(NamedTuple):
    """How a process ended."""

    status: int
    out: str
    err: str


class Child:
    """A process that runs ``taskrun``; ``out`` and ``err`` are files in its folder."""

    def __init__(self, pid: int, folder: Path, wait: Any) -> None:
        self.pid = pid
        self.status: int | None = None
        self._out, self._err = output_files(folder, pid)
        self._wait = wait

    def poll(self) -> int | None:
        """Return the exit status, None while it runs."""
        if self.status is None:
            self.status = self._wait(self.pid, block=False)
        return self.status

    def wait(self) -> int:
        """Wait for the end and return the exit status, that of a signal is negative."""
        if self.status is None:
            self.status = self._wait(self.pid, block=True)
        assert self.status is not None
        return self.status

    @property
    def out(self) -> str:
        """What it has written to standard output."""
        return self._out.read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        """What it has written to standard error."""
        return self._err.read_text(encoding="utf-8")


class FreshProcesses:
    """Starts ``taskrun`` as a user does: a Python of its own for each command. ``paths`` are for its modules."""

    takes = 1.0
    """How many seconds a process may take before it does anything."""

    def __init__(self, *paths: Path) -> None:
        self._environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [*paths, *filter(None, sys.path)]))}
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert not [pid for pid, process in self._processes.items() if process.poll() is None]

    def start(self, folder: Path, *words: str) -> Child:
        """Start a command in a folder, in a process group of its own."""
        out, err = output_files(folder, None)
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "taskrun", *words],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env=self._environment,
                start_new_session=True,
            )
        for old, new in zip((out, err), output_files(folder, process.pid), strict=True):
            old.rename(new)
        self._processes[process.pid] = process
        return Child(process.pid, folder, self._wait)

    def _wait(self, pid: int, *, block: bool) -> int | None:
        process = self._processes[pid]
        return process.wait() if block else process.poll()


class ForkServer:
    """Starts ``taskrun`` by forking a process that has it imported; ``paths`` are for modules of flows."""

    takes = 0.1

    def __init__(self, *paths: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [*paths, *filter(None, sys.path)]))}
        self._server = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.communicate(timeout=20)

    def start(self, folder: Path, *words: str) -> Child:
        """Start a command in a folder, in a process group of its own."""
        return Child(self._ask(folder=str(folder), words=words, output=str(folder)), folder, self._wait)

    def run(self, folder: Path, *words: str, stdin: str = "", env: dict[str, str] | None = None) -> Ended:
        """Run a command in a folder to its end, with these variables instead of the present ones."""
        with TemporaryDirectory() as output:
            given = Path(output, "in")
            given.write_text(stdin, encoding="utf-8")
            variables = dict(os.environ) if env is None else env
            pid = self._ask(folder=str(folder), words=words, output=output, stdin=str(given), env=variables)
            child = Child(pid, Path(output), self._wait)
            return Ended(child.wait(), child.out, child.err)

    def _wait(self, pid: int, *, block: bool) -> int | None:
        return self._ask(pid=pid, block=block)

    def _ask(self, **what: Any) -> Any:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(what) + "\n")
        self._server.stdin.flush()
        return json.loads(self._server.stdout.readline())


def output_files(folder: Path, pid: int | None) -> tuple[Path, Path]:
    """Return the files of what a process writes."""
    return folder / f"{pid or 'new'}.out", folder / f"{pid or 'new'}.err"


def run_child(
    folder: str, words: list[str], output: str, stdin: str = os.devnull, env: dict[str, str] | None = None
) -> None:
    """Be a process of a command; does not return."""
    status = 70
    try:
        os.setsid()
        os.chdir(folder)
        if env is not None:
            os.environ.clear()
            os.environ.update(env)
        for number, path in zip((1, 2), output_files(Path(output), os.getpid()), strict=True):
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(file, number)
            os.close(file)
        os.dup2(os.open(stdin, os.O_RDONLY), 0)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - the process ends soon
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - the process ends soon
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
        from taskrun.cli import main

        signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPT)
        status = main(words)
    except SystemExit as end:
        status = int(end.code or 0)
    except KeyboardInterrupt:
        status = 128 + signal.SIGINT
    except BaseException:  # noqa: BLE001 - it must not go on as a second server
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def serve() -> None:
    """Fork children and wait for them, as the lines of standard input say."""
    _warm_up()
    for line in sys.stdin:
        asked = json.loads(line)
        if "words" in asked:
            signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPT)  # it would meet the server's part of the child
            answer: int | None = os.fork() or run_child(**asked)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPT)
        else:
            pid, status = os.waitpid(asked["pid"], 0 if asked["block"] else os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _warm_up() -> None:
    """Run a flow, so that all that a run imports is there; nothing else of it may be left."""
    from taskrun.cli import cancel, main, resume  # noqa: F401 - imported for the children

    here = Path.cwd()
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        words = [WARM, "--allow", "effects", "--store", "sqlite:///w.db", "--events", "w"]
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()) as said:
            status = main(words)
        os.chdir(here)
    assert (status, threading.active_count()) == (0, 1), said.getvalue()
    gc.collect()  # else children do it, and Ctrl-C would get lost in a finalizer of what the server left
    gc.freeze()


if __name__ == "__main__":
    serve()
