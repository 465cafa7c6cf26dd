"""State of the rollbacks of a run: its compensations, and the steps that were compensated.

Rules: each container has a list of compensations, to which its completed children are added (``Frame.compensations``).
``durable.compensation`` performs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from taskrun.core.completion import Completion
from taskrun.core.control import RunAborted

if TYPE_CHECKING:
    from taskrun.core.journal import StepRecord
    from taskrun.core.run import Run
    from taskrun.core.step import Step


class Compensation(NamedTuple):
    """Compensation of one step that has succeeded; ``values`` are the variables that its revert reads."""

    run: Run
    step: Step
    key: str
    values: Mapping[str, Any]
    completion: Completion
    record: StepRecord | None = None
    """The record of the step in a recorded run."""
    order: int = 0
    """The position among the completions of the run; that of a replayed step is below 0."""


@dataclass(slots=True)
class ChildError:
    """Failure of a child in a container that still runs; ``followed``: the container has started another child since."""

    path: str
    error: Exception
    followed: bool = False


@dataclass(slots=True, eq=False)
class Rollback:
    """State of the rollbacks of one run, shared with the runs of the tasks that it calls."""

    abort_error: Exception | None = None
    """The failure that rolls back the whole run and that no handler may catch, None if there is none."""
    compensated: set[str] = field(default_factory=set)
    """The paths of the steps that were compensated because of a failure that no handler has handled."""
    completions: int = 0
    """The number of steps that have ended with a compensation, which orders them."""
    pending: dict[str, list[ChildError]] = field(default_factory=dict)
    """The failures of children by the path of their container, which may handle them."""

    def may_handle(self, error: BaseException) -> bool:
        """Return whether a handler may handle the failure; False if the run is aborted or rolled back as a whole."""
        return self.abort_error is None and not isinstance(error, RunAborted)

    def forget(self, path: str) -> None:
        """Forget compensations below ``path``: its failure was handled, so the run must not end as REVERTED."""
        if self.compensated:
            self.compensated = {key for key in self.compensated if not is_inside(key, path)}


def is_inside(key: str, path: str) -> bool:
    """Return whether a record's key is the path of a step, of one of its visits or attempts, or of a step inside it."""
    return key == path or key.startswith((f"{path}/", f"{path}[", f"{path}~", f"{path}#"))
