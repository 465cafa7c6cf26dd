"""Liveness of runs: whether a run has a live owner, and waiting until it has none."""

from __future__ import annotations

import time

from taskrun.core.states import TRANSITIONS, RunState
from taskrun.durable.history import is_orphaned
from taskrun.durable.records import RunSummary
from taskrun.durable.store import Store

_POLL_INTERVAL = 0.1
"""Seconds between two reads of the state of a run."""


def has_live_owner(run: RunSummary) -> bool:
    """Return whether the run is being executed by a process that is alive."""
    return run.state.active and not is_orphaned(run, time.time())


def is_final(state: RunState) -> bool:
    """Return whether a run in this state stays in it for ever, such as CANCELLED."""
    return not TRANSITIONS[state]


def wait_until_inactive(store: Store, run_id: str) -> RunState:
    """Wait until no live process executes the run, and return its state.

    The state is an active one, such as RUNNING, if the process has died.
    """
    while has_live_owner(run := store.load(run_id)):
        time.sleep(_POLL_INTERVAL)
    return run.state
