"""State of rolling back a run: the compensations of its steps, and what a failure has compensated so far.

Rules: each container has a list of compensations, to which its completed children are added (``Frame.compensations``).
How the lists are performed: ``durable.compensation``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from taskrun.core.completion import Completion
from taskrun.core.control import RunAborted

if TYPE_CHECKING:
    from taskrun.core.journal import StepRecord
    from taskrun.core.run import Run
    from taskrun.core.step import Step


class Compensation(NamedTuple):
    """What undoes one step that has succeeded; ``values`` are the variables that its revert needs."""

    run: Run
    step: Step
    key: str
    values: Mapping[str, Any]
    completion: Completion
    record: StepRecord | None = None
    """The record of the step in a recorded run."""
    order: int = 0
    """The position among the completions of the run; replayed steps come before all others."""


@dataclass(slots=True)
class ChildError:
    """The failure of a child of a container that has not ended yet; ``followed``: the container has started another child."""

    path: str
    error: Exception
    followed: bool = False


class Rollback:
    """What failures have rolled back in one run, shared with the runs of the tasks that it calls."""

    __slots__ = ("abort_error", "compensated", "completions", "pending")

    def __init__(self) -> None:
        self.abort_error: Exception | None = None
        """The failure that rolls back the whole run and that no handler may catch, None without one."""
        self.compensated: set[str] = set()
        """The paths of steps that were compensated because of a failure that is not handled (yet)."""
        self.completions: int = 0
        """How many compensations were registered."""
        self.pending: dict[str, list[ChildError]] = {}
        """The failures of children, by the path of a container that may handle them."""

    def may_handle(self, error: BaseException) -> bool:
        """Return whether a handler may catch this failure; False when the run is aborted or rolled back as a whole."""
        return self.abort_error is None and not isinstance(error, RunAborted)

    def forget(self, path: str) -> None:
        """Forget compensations inside the step at ``path``: its failure was handled, so it is not a rollback of the run."""
        if self.compensated:
            self.compensated = {key for key in self.compensated if not is_inside(key, path)}


def is_inside(key: str, path: str) -> bool:
    """Return whether a key belongs to the step at a path, to one of its visits or attempts, or to a step inside it."""
    return key == path or key.startswith((f"{path}/", f"{path}[", f"{path}~", f"{path}#"))
