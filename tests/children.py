"""Commands in processes of their own that run beside the test."""

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
    """Start the command in the background."""
    return subprocess.Popen(
        [sys.executable, "-m", "taskrun", *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def says(process: subprocess.Popen[str], text: str) -> None:
    """Wait until a process has written a line with that text to standard error."""
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"it ended and never said: {text}")


def wait_until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        select.select([], [], [], 0.02)


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def on_terminal(folder: Path, *words: str, types: str) -> tuple[int, str]:
    """Run the command on a terminal on which somebody types; return its exit status and what the terminal shows."""
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
