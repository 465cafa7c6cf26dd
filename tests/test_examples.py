"""Every example runs as its page says, and gives what stands in the ``expected.json`` beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
COUNTED = "more than 0"
"""Stands for a number that changes with the repository's own files."""


def cases() -> list[Any]:
    """Every call of every example."""
    return [
        pytest.param(file.parent, case, id=f"{file.parent.name}/{number}")
        for file in sorted(EXAMPLES.glob("*/expected.json"))
        for number, case in enumerate(json.loads(file.read_text(encoding="utf-8")), 1)
    ]


def python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in an example's folder."""
    return subprocess.run(
        [sys.executable, *words], cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False
    )


def same(value: Any, expected: Any) -> bool:
    """Whether a printed value is the expected one."""
    if isinstance(expected, dict) and isinstance(value, dict):
        return list(value) == list(expected) and all(same(value[name], expected[name]) for name in expected)
    return value > 0 if expected == COUNTED else value == expected


@pytest.mark.parametrize(("folder", "case"), cases())
def test_example(folder: Path, case: dict[str, Any]) -> None:
    """Standard output, standard error and exit status."""
    done = python(folder, "-m", "taskrun", *case["words"])
    assert done.stderr.splitlines() == case["err"]
    assert done.returncode == case["status"]
    assert same(json.loads(done.stdout) if done.stdout else None, case["out"]), done.stdout


def test_every_flow_is_right() -> None:
    """``check --strict`` has nothing against any of them."""
    done = python(
        EXAMPLES,
        "-m",
        "taskrun",
        "check",
        "--strict",
        ".",
        "--allow",
        "words",
        "--allow",
        "service",
        "--allow",
        "phrases",
    )
    told = done.stderr.replace("error[unknown-function]", "").replace("error[no-library]", "")  # modules beside them
    assert "error[" not in told


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
    """What ``make demo`` runs ends well and shows a result."""
    done = python(EXAMPLES, "demo.py")
    assert done.returncode == 0, done.stderr
    assert '"words":' in done.stdout
