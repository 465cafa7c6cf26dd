"""Shared fixtures: settings of Hypothesis, and a folder for small flows."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from forking import KILLS, ForkServer
from hypothesis import HealthCheck, settings
from small_flows import Bench

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", parent=settings.get_profile("default"), max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A folder for the flows of this session."""
    return Bench(tmp_path_factory.mktemp("flows"))


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    """What starts processes of ``taskrun`` in no time."""
    with ForkServer(KILLS) as server:
        yield server


@pytest.fixture(scope="session", autouse=True)
def _own_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let no command, in this process or another, record its runs where the runs of whoever tests are."""
    folder = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder))
        patch.setenv("TASKRUN_STORE", f"sqlite:///{folder}/taskrun/runs.db?synchronous=NORMAL")
        yield
