"""States of runs and steps, and the table of the changes from one state of a run to another that are allowed.

Rules: every store checks a new state with this table before it writes the state, and raises TransitionError for a
change that the table does not allow.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType

from taskrun.errors import TransitionError


class RunState(enum.StrEnum):
    """State of a run; ``check_transition`` tells which states can follow."""

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
        """Whether a process executes a run in this state or is about to: CREATED, RUNNING or REVERTING."""
        return self in ACTIVE

    @property
    def ended(self) -> bool:
        """Whether a run in this state has ended: it is neither active nor suspended.

        A failed run can still be resumed.
        """
        return self not in ACTIVE and self is not RunState.SUSPENDED

    def check_transition(self, state: RunState, run_id: str) -> None:
        """Raise TransitionError if a run in this state cannot change to ``state``; the same state is allowed.

        ``run_id`` is the id of the run, for the message.
        """
        if state is not self and state not in TRANSITIONS[self]:
            can = ", ".join(sorted(TRANSITIONS[self])) or "no other state"
            raise TransitionError(
                f"run {run_id} is {self} and cannot become {state}", f"a run that is {self} can become: {can}"
            )


ACTIVE = frozenset({RunState.CREATED, RunState.RUNNING, RunState.REVERTING})
"""The states in which a process owns the run; writing any other state ends the ownership."""

TRANSITIONS: Mapping[RunState, frozenset[RunState]] = MappingProxyType(
    {
        state: frozenset(map(RunState, following.split()))
        for state, following in {
            RunState.CREATED: "RUNNING FAILED CANCELLED",
            RunState.RUNNING: "SUSPENDED SUCCEEDED FAILED REVERTING CANCELLED TIMED_OUT",
            RunState.SUSPENDED: "RUNNING REVERTING CANCELLED",
            # back to RUNNING: a container was rolled back, and a handler outside of it handled the failure
            RunState.REVERTING: "RUNNING FAILED REVERTED REVERT_FAILED CANCELLED TIMED_OUT",
            # a failed run may be resumed, rolled back or cancelled
            RunState.FAILED: "RUNNING REVERTING CANCELLED",
            RunState.TIMED_OUT: "RUNNING REVERTING CANCELLED",
            RunState.REVERT_FAILED: "REVERTING CANCELLED",
            RunState.SUCCEEDED: "",
            RunState.REVERTED: "",
            RunState.CANCELLED: "",
        }.items()
    }
)
"""State of a run → the states to which it can change."""


class StepState(enum.StrEnum):
    """State of one execution of a step, as it is recorded."""

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
