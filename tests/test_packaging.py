"""The wheel contains all files that a run needs."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the content of the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_contains_schemas_and_lib(installed: Path) -> None:
    """The folders are in the package."""
    assert (installed / "taskrun" / "schemas" / "task.xsd").is_file()
    assert (installed / "taskrun" / "lib").is_dir()
    assert (installed / "taskrun" / "py.typed").is_file()
    assert not (installed / "tests").exists()


def test_a_flow_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    """A flow runs without the source tree on the path."""
    (tmp_path / "flow.task.xml").write_text('<task><steps><step name="a"><source>1</source></step></steps></task>')
    code = (
        "import sys, taskrun; from taskrun.cli import main; print(taskrun.__file__); sys.exit(main(['flow.task.xml']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [str(installed / "taskrun" / "__init__.py"), '{"RESULT": 1}']
