"""The states of runs and steps, and the table of transitions between the states of a run.

Rules: every store asks this table before it writes a new state; a transition that is not in it is a bug and raises.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType

from taskrun.errors import TransitionError


class RunState(enum.StrEnum):
    """Where a run stands."""

    CREATED = "CREATED"
    RUNNING = "RUNNING"
    SUSPENDED = "SUSPENDED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    REVERTING = "REVERTING"
    REVERTED = "REVERTED"
    REVERT_FAILED = "REVERT_FAILED"
    CANCELLED = "CANCELLED"
    TIMED_OUT = "TIMED_OUT"

    @property
    def active(self) -> bool:
        """Whether somebody works on a run in this state, or is about to."""
        return self in ACTIVE

    @property
    def ended(self) -> bool:
        """Whether a run in this state has ended, if only until it is resumed after its failure."""
        return self not in ACTIVE and self is not RunState.SUSPENDED

    def check_transition(self, state: RunState, run_id: str) -> None:
        """Raise TransitionError when a run cannot go from this state to ``state``; staying is always possible."""
        if state is not self and state not in TRANSITIONS[self]:
            can = ", ".join(sorted(TRANSITIONS[self])) or "nothing else"
            raise TransitionError(f"run {run_id} is {self} and cannot become {state}", f"{self} becomes {can}")


ACTIVE = frozenset({RunState.CREATED, RunState.RUNNING, RunState.REVERTING})
"""The states in which a run has an owner; a write that leaves them gives the run up."""

TRANSITIONS: Mapping[RunState, frozenset[RunState]] = MappingProxyType(
    {
        state: frozenset(map(RunState, following.split()))
        for state, following in {
            RunState.CREATED: "RUNNING FAILED CANCELLED",
            RunState.RUNNING: "SUSPENDED SUCCEEDED FAILED REVERTING CANCELLED TIMED_OUT",
            RunState.SUSPENDED: "RUNNING REVERTING CANCELLED",
            # back to RUNNING: a container undid its own work and something round it handled the failure
            RunState.REVERTING: "RUNNING FAILED REVERTED REVERT_FAILED CANCELLED TIMED_OUT",
            # a run that stopped half-way may be resumed, rolled back or ended
            RunState.FAILED: "RUNNING REVERTING CANCELLED",
            RunState.TIMED_OUT: "RUNNING REVERTING CANCELLED",
            RunState.REVERT_FAILED: "REVERTING CANCELLED",
            RunState.SUCCEEDED: "",
            RunState.REVERTED: "",
            RunState.CANCELLED: "",
        }.items()
    }
)
"""How the states of a run follow each other."""


class StepState(enum.StrEnum):
    """Where the execution of a step stands."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    SUSPENDED = "SUSPENDED"
    REVERTING = "REVERTING"
    REVERTED = "REVERTED"
    REVERT_FAILED = "REVERT_FAILED"
    CANCELLED = "CANCELLED"
    TIMED_OUT = "TIMED_OUT"
