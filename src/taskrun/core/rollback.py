"""State of the rollbacks of a run: its compensations, and the steps that were compensated.

Rules: each container has a list of compensations (``Frame.compensations``). When a step inside it has succeeded, the
compensation of that step is added. ``durable.compensation`` performs them.
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
    """Compensation of one step that has succeeded; ``values`` are the variables that its revert reads.

    ``key`` is the path of the step, ``completion`` what the step returned.
    """

    run: Run
    step: Step
    key: str
    values: Mapping[str, Any]
    completion: Completion
    record: StepRecord | None = None
    """The record of the step; None if the run is not recorded."""
    order: int = 0
    """When the step ended, as a number; the greatest is compensated first. It is below 0 for a replayed step."""


@dataclass(slots=True)
class ChildError:
    """Failure of a step inside a container that is still running.

    ``followed`` is True if the container has started another step since. Then it has handled the failure, unless it
    ends by raising the same exception.
    """

    path: str
    error: Exception
    followed: bool = False


@dataclass(slots=True, eq=False)
class Rollback:
    """State of the rollbacks of one run, shared with the runs of the tasks that it calls."""

    abort_error: Exception | None = None
    """The failure that rolls back the whole run and that no handler may stop; None while there is none."""
    compensated: set[str] = field(default_factory=set)
    """The paths of the steps that were compensated because of a failure that no handler has stopped yet.

    If there are any when the run ends, its state is REVERTED.
    """
    completions: int = 0
    """The number of steps with a compensation that have ended; it numbers the next one (``Compensation.order``)."""
    pending: dict[str, list[ChildError]] = field(default_factory=dict)
    """By the path of a container: the failures of steps inside it, which the container may still handle."""

    def may_handle(self, error: BaseException) -> bool:
        """Return whether a handler of the flow may stop the failure.

        False if the run is aborted, or if a failure rolls back the whole run.
        """
        return self.abort_error is None and not isinstance(error, RunAborted)

    def forget(self, path: str) -> None:
        """Remove the step at ``path`` and the steps inside it from ``compensated``; nothing is undone.

        Called when a handler has stopped the failure that caused their rollback: the run then need not end as REVERTED.
        """
        if self.compensated:
            self.compensated = {key for key in self.compensated if not is_inside(key, path)}


def is_inside(key: str, path: str) -> bool:
    """Return whether ``key`` is the path of a step, of one of its visits or attempts, or of anything inside it.

    ``path`` is the path of that step.
    """
    return key == path or key.startswith((f"{path}/", f"{path}[", f"{path}~", f"{path}#"))
