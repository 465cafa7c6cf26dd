"""The command as a user has it: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest


class Ended(NamedTuple):
    """How a process ended."""

    status: int
    out: str
    err: str


Command = Callable[..., Ended]


@pytest.fixture
def taskrun(tmp_path: Path) -> Command:
    """Run ``taskrun`` with the given words in the test's folder."""

    def run(*words: object, stdin: str = "", env: dict[str, str] | None = None, **more: Any) -> Ended:
        done = subprocess.run(
            [sys.executable, "-m", "taskrun", *map(str, words)],
            cwd=tmp_path,
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
            check=False,
            env={**os.environ, **(env or {})},
            **more,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def flow(tmp_path: Path) -> Callable[[str], Path]:
    """Write a flow file into the test's folder and return its path."""

    def write(text: str, name: str = "flow.task.xml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write
