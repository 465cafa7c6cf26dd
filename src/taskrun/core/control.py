"""Control of a run: cancellation, suspension and abort.

Rules: a run and the runs of the tasks that it calls have one Control, so that they are cancelled together. A run is
cancelled by cancelling the asyncio task that executes it. It is aborted by raising ``RunAborted``, which is not an
``Exception``, so that no handler of the flow catches it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from taskrun.errors import TaskrunError

if TYPE_CHECKING:
    from taskrun.core.journal import RunJournal

CANCEL, CANCEL_ONLY, SUSPEND = "cancel", "cancel-only", "suspend"
"""The kinds of requests to a run, as texts: cancel it and roll it back, cancel it without rollback, suspend it."""


class RunAborted(BaseException):
    """Exception that ends a run at once, without running any handler; ``error`` is the reason.

    Raised when records cannot be written: the disk is full, or another process has claimed the run. Steps that were
    executed after that would be executed again by the process that resumes the run. It derives from BaseException, so
    that no catch, retry or finally of the flow runs after it.
    """

    def __init__(self, error: TaskrunError) -> None:
        self.error = error
        super().__init__(str(error))


@dataclass(slots=True, eq=False)
class Control:
    """Cancels and suspends one run, and remembers the requests that it has carried out.

    ``task`` is the asyncio task that executes the run; None before the run starts. ``suspending`` is set when the run
    has to be suspended at its next step.
    """

    journal: RunJournal
    task: asyncio.Task[Any] | None = None
    cancelled: str | None = None
    """The reason of the cancellation as text, None while the run is not cancelled."""
    reverts: bool = True
    """Whether a cancellation also rolls the run back."""
    suspending: bool = False
    seen_requests: set[str] = field(default_factory=set)
    """The requests that were carried out (CANCEL, CANCEL_ONLY, SUSPEND).

    They remain in the store, where they are found again, but must not be carried out twice.
    """

    def cancel(self, reason: str = "kill") -> None:
        """Cancel the asyncio task of the run, and store the request, so that a process that resumes the run finds it.

        Does nothing if the run is not running or is being cancelled already. Must be called in the event loop of the
        run.
        """
        if self.cancelled is None and self.task is not None and not self.task.done():
            self.cancelled = reason
            kind = CANCEL if self.reverts else CANCEL_ONLY
            self.seen_requests.add(kind)
            self.journal.request(kind)
            self.task.cancel()

    def cancel_threadsafe(self, reason: str, *, revert: bool) -> bool:
        """Cancel the run from any thread; return True if the request was passed on, False if the run is not running.

        With ``revert`` the compensations of its completed steps are performed; without, the run only ends.
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
        """Forget a cancellation of the current asyncio task, so that it can continue.

        If this task executes the run, the run no longer counts as cancelled either.
        """
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        task.uncancel()
        if task is self.task:
            self.cancelled = None

    def handle(self, request: str) -> None:
        """Carry out a request from the store (CANCEL, CANCEL_ONLY or SUSPEND), unless it was carried out before."""
        if request in self.seen_requests:
            return
        self.seen_requests.add(request)
        if request == SUSPEND:
            self.suspending = True
        else:
            self.reverts = request != CANCEL_ONLY
            self.cancel()
