"""Runs that another process works on: whether somebody does, and waiting until nobody does any more."""

from __future__ import annotations

import time

from taskrun.core.states import TRANSITIONS, RunState
from taskrun.durable.history import is_orphaned
from taskrun.durable.records import RunSummary
from taskrun.durable.store import Store

_POLL = 0.1
"""How many seconds lie between two looks at a run that is waited for."""


def works_on(run: RunSummary) -> bool:
    """Whether somebody who lives works on a run."""
    return run.state.active and not is_orphaned(run, time.time())


def is_over(state: RunState) -> bool:
    """Whether nothing can follow a state of a run."""
    return not TRANSITIONS[state]


def until_still(store: Store, run_id: str) -> RunState:
    """Wait until nobody works on a run and return its state, which is an active one when its owner has died."""
    while works_on(run := store.load(run_id)):
        time.sleep(_POLL)
    return run.state
