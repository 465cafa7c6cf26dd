"""Fixtures for the tests of templates."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_flows import Bench
from templates import Templates


@pytest.fixture
def templates(tmp_path: Path) -> Templates:
    """Return a folder for the flows and libraries of one test."""
    return Templates(Bench(tmp_path))
