"""Real processes of ``taskrun`` that are killed at random moments: a short run of what ``make soak`` does."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from forking import ForkServer
from killing import SCENARIOS, Scenario, Trial
from watching import Place

SEED = 5
MOST_KILLS = 3
LEAST_KILLS = 3
"""For each flow; of a run that has ended sooner there is another one."""


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_killed(fork_server: ForkServer, tmp_path: Path, scenario: Scenario) -> None:
    """Recorded steps are not executed again, and the run ends like an undisturbed one."""
    whole = Trial(scenario, 0, Place(tmp_path / "whole", fork_server), most_kills=0)
    if not scenario.cancelled:
        whole.go()
    kills = 0
    for seed in itertools.count(SEED):
        trial = Trial(scenario, seed, Place(tmp_path / str(seed), fork_server), MOST_KILLS)
        trial.go()
        if not scenario.cancelled:
            trial.check_same(whole)
        kills += len(trial.kills)
        if kills >= LEAST_KILLS:
            break
