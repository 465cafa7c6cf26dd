"""Child processes that run ``taskrun`` commands concurrently with the test."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Start a command in the background."""
    return subprocess.Popen(
        [sys.executable, "-m", "taskrun", *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def says(process: subprocess.Popen[str], text: str) -> None:
    """Wait until a process writes a line with a text to standard error; fails if it ends before."""
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"the process ended without writing: {text}")


def wait_until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait until a condition is true, at most ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not become true"
        select.select([], [], [], 0.02)


def alive(pid: int) -> bool:
    """Return whether a process runs; False for a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def on_terminal(folder: Path, *words: str, types: str) -> tuple[int, str]:
    """Run a command on a pseudo-terminal with ``types`` as its input; return its exit status and the terminal's content."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "taskrun", *words],
        cwd=folder,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "NO_COLOR": ""},
    )
    os.close(slave)
    os.write(master, types.encode())
    shown = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    return process.wait(timeout=20), shown.decode("utf-8").replace("\r\n", "\n")
