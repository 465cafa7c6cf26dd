"""Control of a run: cancellation, suspension and abort.

Rules: a run that called tasks shares its control with their runs. A cancellation is asyncio's own: the task that
executes the run is cancelled. ``RunAborted`` is no ``Exception``, so no handler of the flow catches it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from taskrun.errors import TaskrunError

if TYPE_CHECKING:
    from taskrun.core.journal import RunJournal

CANCEL, CANCEL_ONLY, SUSPEND = "cancel", "cancel-only", "suspend"
"""The requests to a run: cancel and roll back, cancel without rollback, suspend."""


class RunAborted(BaseException):
    """End a run immediately: nothing more may be done in its name, and ``error`` says why.

    Raised when records cannot be written (the disk is full, another process claimed the run): work done after that would be
    done a second time by the process that resumes the run. It derives from BaseException, so that no catch, retry or
    finally of the flow runs after it.
    """

    def __init__(self, error: TaskrunError) -> None:
        self.error = error
        super().__init__(str(error))


class Control:
    """The requests to one run: whether it is cancelled or to be suspended, and the asyncio task to cancel."""

    __slots__ = ("cancelled", "journal", "reverts", "seen_requests", "suspending", "task")

    def __init__(self, journal: RunJournal) -> None:
        self.journal: RunJournal = journal
        self.task: asyncio.Task[Any] | None = None
        self.cancelled: str | None = None
        """The reason of the cancellation, None while the run is not cancelled."""
        self.reverts: bool = True
        """Whether a cancellation rolls the run back."""
        self.suspending: bool = False
        self.seen_requests: set[str] = set()
        """The requests in the store that were carried out; a cancellation that the flow has caught is over."""

    def cancel(self, reason: str = "kill") -> None:
        """Cancel the running steps; call it in the run's own event loop."""
        if self.cancelled is None and self.task is not None and not self.task.done():
            self.cancelled = reason
            kind = CANCEL if self.reverts else CANCEL_ONLY
            self.seen_requests.add(kind)
            self.journal.request(kind)
            self.task.cancel()

    def cancel_threadsafe(self, reason: str, *, revert: bool) -> bool:
        """Cancel the run from any thread; return whether it was still running."""
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
        """Clear the cancellation that the present task has caught, and that of the run if the task executes it."""
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        task.uncancel()
        if task is self.task:
            self.cancelled = None

    def obey(self, request: str) -> None:
        """Carry out a request from the store, unless that was done before."""
        if request in self.seen_requests:
            return
        self.seen_requests.add(request)
        if request == SUSPEND:
            self.suspending = True
        else:
            self.reverts = request != CANCEL_ONLY
            self.cancel()
