"""What the tests of tags share: a folder that a tag may use, one that it may not, and what it reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from taskrun.tags.context import TagContext


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that no tag may use, with a file."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.txt").write_text("secret")
    return folder


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The allowed folder, which is the current one."""
    folder = tmp_path / "inside"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def reports() -> list[str]:
    """What tags reported."""
    return []


@pytest.fixture
def context(inside: Path, reports: list[str]) -> TagContext:
    """A context of a flow in ``inside/flows``."""
    return TagContext(folder=inside / "flows", allowed=(inside,), report=reports.append)
