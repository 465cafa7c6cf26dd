"""What all tests share: settings of Hypothesis, and a folder for small flows."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from small_flows import Bench

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", parent=settings.get_profile("default"), max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A folder for the flows of this session."""
    return Bench(tmp_path_factory.mktemp("flows"))
