"""Fixtures that run the command ``taskrun``, in a process of its own or in the test process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from forking import Ended, ForkServer
from sample_runs import NOW, fill

from taskrun.cli import main
from taskrun.stores.open import open_store

Command = Callable[..., Ended]


@pytest.fixture
def taskrun(tmp_path: Path, fork_server: ForkServer) -> Command:
    """Return a function that runs ``taskrun`` with the given words in the test's folder, in a process of its own.

    The process is forked from a server that has taskrun imported, because that is fast. A new Python is started only for
    variables of Python itself and settings of the process.
    """

    def run(*words: object, stdin: str = "", env: dict[str, str] | None = None, **more: Any) -> Ended:
        variables = {**os.environ, **(env or {})}
        if not more and not any(name.startswith(("PYTHON", "LC_", "LANG")) for name in env or ()):
            return fork_server.run(tmp_path, *map(str, words), stdin=stdin, env=variables)
        done = subprocess.run(
            [sys.executable, "-m", "taskrun", *map(str, words)],
            cwd=tmp_path,
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
            check=False,
            env=variables,
            **more,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def flow(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that writes a flow file into the test's folder and returns its path."""

    def write(text: str, name: str = "flow.task.xml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """Return a function that runs a command in this process, in the test's folder, at the time NOW in UTC."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TASKRUN_STORE", raising=False)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr(time, "time", lambda: NOW)

    def run(*words: object) -> Ended:
        try:
            status = main(list(map(str, words)))
        except SystemExit as end:
            status = int(end.code or 0)
        return Ended(status, *capsys.readouterr())

    yield run
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def store(call: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a store with the runs of ``sample_runs``, set ``TASKRUN_STORE`` to it, and return its file."""
    path = tmp_path / "runs.db"
    opened = open_store(f"sqlite:///{path}")
    fill(opened)
    opened.close()
    monkeypatch.setenv("TASKRUN_STORE", f"sqlite:///{path}")
    return path
