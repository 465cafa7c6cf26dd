"""Fixtures for tests of tags: an allowed folder, a forbidden one, and the reported lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from taskrun.tags.context import TagContext


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Folder outside the allowed ones, with a file."""
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
    """Lines that tags reported."""
    return []


@pytest.fixture
def context(inside: Path, reports: list[str]) -> TagContext:
    """TagContext of a flow in ``inside/flows``."""
    return TagContext(folder=inside / "flows", allowed=(inside,), report=reports.append)
