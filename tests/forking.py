"""Fast start of ``taskrun`` processes: a server that has imported everything forks them.

    with ForkServer(modules) as server:
        child = server.start(folder, "resume", "r1")
        os.kill(child.pid, signal.SIGKILL)
        child.wait()

Rules: a child is an ordinary process, which can be stopped and killed. The server has run a flow before, of which only the
imported modules remain, so a child begins in the state of a fresh process. As a program, this module is the server.
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
"""The folder of the flows for trials with kills, and of the module that they use."""
WARM = str(KILLS / "warm.task.xml")
"""A flow that imports the modules that the others need."""
_INTERRUPT = (signal.SIGINT,)


class Ended(NamedTuple):
    """The exit status and the output of a process."""

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
        """Return the exit status, None while the process runs."""
        if self.status is None:
            self.status = self._wait(self.pid, block=False)
        return self.status

    def wait(self) -> int:
        """Wait for the end and return the exit status; it is negative for a signal."""
        if self.status is None:
            self.status = self._wait(self.pid, block=True)
        assert self.status is not None
        return self.status

    @property
    def out(self) -> str:
        """The standard output of the process so far."""
        return self._out.read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        """The standard error of the process so far."""
        return self._err.read_text(encoding="utf-8")


class FreshProcesses:
    """Starts each ``taskrun`` command in a new Python process; ``paths`` are added to PYTHONPATH."""

    takes = 1.0
    """The seconds that a process may take until its first effect."""

    def __init__(self, *paths: Path) -> None:
        self._environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [*paths, *filter(None, sys.path)]))}
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert not [pid for pid, process in self._processes.items() if process.poll() is None]

    def start(self, folder: Path, *words: str) -> Child:
        """Start a command in a folder, in a new process group."""
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
    """Starts ``taskrun`` commands by forking a server process; ``paths`` are added to PYTHONPATH."""

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
        """Start a command in a folder, in a new process group."""
        return Child(self._ask(folder=str(folder), words=words, output=str(folder)), folder, self._wait)

    def run(self, folder: Path, *words: str, stdin: str = "", env: dict[str, str] | None = None) -> Ended:
        """Run a command in a folder to its end; ``env`` replaces the environment variables."""
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
    """Return the files of standard output and standard error of a process."""
    return folder / f"{pid or 'new'}.out", folder / f"{pid or 'new'}.err"


def run_child(
    folder: str, words: list[str], output: str, stdin: str = os.devnull, env: dict[str, str] | None = None
) -> None:
    """Execute a command in this forked process and exit; does not return."""
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
    except BaseException:  # noqa: BLE001 - the child must not continue as a second server
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def serve() -> None:
    """Execute the requests on standard input, which fork children or wait for them."""
    _warm_up()
    for line in sys.stdin:
        asked = json.loads(line)
        if "words" in asked:
            signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPT)  # it would interrupt the server's code in the child
            answer: int | None = os.fork() or run_child(**asked)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPT)
        else:
            pid, status = os.waitpid(asked["pid"], 0 if asked["block"] else os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _warm_up() -> None:
    """Run a flow so that all modules are imported; check that nothing else of it remains."""
    from taskrun.cli import cancel, main, resume  # noqa: F401 - imported for the children

    here = Path.cwd()
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        words = [WARM, "--allow", "effects", "--store", "sqlite:///w.db", "--events", "w"]
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()) as output:
            status = main(words)
        os.chdir(here)
    assert (status, threading.active_count()) == (0, 1), output.getvalue()
    gc.collect()  # else a child collects garbage of the server, and Ctrl-C might get lost in a finalizer
    gc.freeze()


if __name__ == "__main__":
    serve()
