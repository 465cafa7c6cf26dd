"""Every example runs as its page describes, with the results in the ``expected.json`` beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from children import says, start
from forking import ForkServer

from taskrun.stores.open import open_store

EXAMPLES = Path(__file__).parents[1] / "examples"
COUNTED = "more than 0"
"""Stands for a number that changes with the repository's own files."""


def cases() -> list[Any]:
    """Yield every call of every example."""
    return [
        pytest.param(file.parent, case, id=f"{file.parent.name}/{number}")
        for file in sorted(EXAMPLES.glob("*/expected.json"))
        for number, case in enumerate(json.loads(file.read_text(encoding="utf-8")), 1)
    ]


@pytest.fixture(autouse=True)
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of a store for the runs of one example."""
    text = f"sqlite:///{tmp_path}/runs.db?synchronous=NORMAL"
    monkeypatch.setenv("TASKRUN_STORE", text)
    return text


def newest(url: str) -> str:
    """Return the beginning of the id of the newest run, as printed."""
    store = open_store(url)
    try:
        return next((run.run_id[:8] for run in store.runs(limit=1)), "none")
    finally:
        store.close()


def python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in an example's folder."""
    return subprocess.run(
        [sys.executable, *words], cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False
    )


def same(value: Any, expected: Any) -> bool:
    """Return whether a printed value is the expected one."""
    if isinstance(expected, dict) and isinstance(value, dict):
        return list(value) == list(expected) and all(same(value[name], expected[name]) for name in expected)
    return value > 0 if expected == COUNTED else value == expected


@pytest.mark.parametrize(("folder", "case"), cases())
def test_example(folder: Path, case: dict[str, Any] | list[dict[str, Any]], url: str, fork_server: ForkServer) -> None:
    """Compare standard output, standard error and exit status of one or several commands."""
    for call in case if isinstance(case, list) else [case]:
        run = newest(url) if "RUN" in call["words"] else ""
        done = fork_server.run(folder, *(word.replace("RUN", run) for word in call["words"]))
        printed = done.err.replace(newest(url), "RUN") if "RUN" in str(call["err"]) else done.err
        assert printed.splitlines() == call["err"]
        assert done.status == call["status"]
        assert same(json.loads(done.out) if done.out else None, call["out"]), done.out


def test_a_killed_import_is_resumed(url: str, fork_server: ForkServer) -> None:
    """Stored rows are not stored again, except for the row whose record was not committed."""
    words = ("import.task.xml", "--input", "rows=6", "--input", "pause=150")
    owner = start(EXAMPLES / "20_killed", *words)
    says(owner, "row 2 is stored")
    owner.kill()
    owner.communicate()
    done = fork_server.run(EXAMPLES / "20_killed", "resume", newest(url))
    assert (done.status, done.out) == (0, '{"last": 6}\n')
    stored = [f"taskrun: row {number} is stored" for number in range(2, 7)]
    assert done.err.splitlines() in (stored, stored[1:])


def test_cancel_from_a_second_terminal(url: str, fork_server: ForkServer) -> None:
    """Cancelling returns everything that was rented."""
    owner = start(EXAMPLES / "21_cancel", "train.task.xml")
    says(owner, "the work begins")
    run = newest(url)
    done = fork_server.run(EXAMPLES, "cancel", run)
    assert done == (0, f"run {run} is CANCELLED\n", "")
    printed = owner.communicate(timeout=20)[1].splitlines()
    assert owner.returncode == 130
    assert printed[-5:] == [
        "taskrun: the work has stopped",
        "taskrun: machine 7 is given back",
        "taskrun: cancelled",
        f"taskrun: run {run} is CANCELLED",
        f"    start again with: taskrun rerun {run}",
    ]


def test_every_flow_passes_the_strict_check(fork_server: ForkServer) -> None:
    """``check --strict`` reports no problem."""
    allowed = (word for module in ("words", "service", "phrases") for word in ("--allow", module))
    done = fork_server.run(EXAMPLES, "check", "--strict", ".", *allowed)
    printed = done.err.replace("error[unknown-function]", "").replace("error[no-library]", "")  # modules beside them
    assert done.status == 2, done.err
    assert "error[" not in printed


def test_the_embedding_program() -> None:
    """The program that uses TaskManager prints its results."""
    done = python(EXAMPLES / "11_embedded", "shop.py")
    assert done.stdout.splitlines() == [
        "pen: {'stock': 3, 'ordered': 0}",
        "cup: {'stock': 0, 'ordered': 10}",
        "skipped: main/order: when 'stock == 0' was false",
    ]
    assert done.stderr == ""


def test_every_example_is_in_the_list() -> None:
    """examples/README.md names every folder."""
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert [folder.name for folder in sorted(EXAMPLES.glob("[0-9]*")) if f"({folder.name}/)" not in page] == []


def test_the_demo() -> None:
    """``make demo`` succeeds and prints a result."""
    done = python(EXAMPLES, "demo.py")
    assert done.returncode == 0, done.stderr
    assert '"words":' in done.stdout
