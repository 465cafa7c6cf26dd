"""Control of a run: cancellation, suspension and abort.

Rules: a run that called tasks shares its control with their runs. To cancel a run, the asyncio task that executes it is
cancelled. ``RunAborted`` is not an ``Exception``, so no handler of the flow catches it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from taskrun.errors import TaskrunError

if TYPE_CHECKING:
    from taskrun.core.journal import RunJournal

CANCEL, CANCEL_ONLY, SUSPEND = "cancel", "cancel-only", "suspend"
"""The kinds of requests to a run: cancel and roll back, cancel without rollback, suspend."""


class RunAborted(BaseException):
    """Abort of a run: it ends immediately, without handlers, because of ``error``.

    Raised when records cannot be written (the disk is full, another process claimed the run): steps executed after that
    would be executed a second time by the process that resumes the run. It derives from BaseException, so that no
    catch, retry or finally of the flow runs after it.
    """

    def __init__(self, error: TaskrunError) -> None:
        self.error = error
        super().__init__(str(error))


@dataclass(slots=True, eq=False)
class Control:
    """Cancels and suspends one run, and stores which requests were carried out.

    ``task`` is the asyncio task that executes the run, ``suspending`` is set when the run must be suspended.
    """

    journal: RunJournal
    task: asyncio.Task[Any] | None = None
    cancelled: str | None = None
    """The reason of the cancellation, None while the run is not cancelled."""
    reverts: bool = True
    """Whether a cancellation rolls the run back."""
    suspending: bool = False
    seen_requests: set[str] = field(default_factory=set)
    """The requests that were carried out; they remain in the store, but must not be carried out again."""

    def cancel(self, reason: str = "kill") -> None:
        """Cancel the running steps and store the request; must be called in the event loop of the run."""
        if self.cancelled is None and self.task is not None and not self.task.done():
            self.cancelled = reason
            kind = CANCEL if self.reverts else CANCEL_ONLY
            self.seen_requests.add(kind)
            self.journal.request(kind)
            self.task.cancel()

    def cancel_threadsafe(self, reason: str, *, revert: bool) -> bool:
        """Cancel the run from any thread; return False if it is not running.

        With ``revert`` the completed steps are compensated.
        """
        task = self.task
        if task is None:
            return False
        self.reverts = revert
        try:
            task.get_loop().call_soon_threadsafe(self.cancel, reason)
        except RuntimeError:  # the loop was closed meanwhile
            return False
        return True

    def uncancel(self) -> None:
        """Clear the cancellation of the current asyncio task, and that of the run if this task executes it."""
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        task.uncancel()
        if task is self.task:
            self.cancelled = None

    def handle(self, request: str) -> None:
        """Carry out a request from the store (CANCEL, CANCEL_ONLY or SUSPEND), unless that was done before."""
        if request in self.seen_requests:
            return
        self.seen_requests.add(request)
        if request == SUSPEND:
            self.suspending = True
        else:
            self.reverts = request != CANCEL_ONLY
            self.cancel()
