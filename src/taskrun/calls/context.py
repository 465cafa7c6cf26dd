"""StepContext: what a Python function gets that a step calls, if it has a parameter ``context``.

    def pay(order, context):
        bank.pay(order.total, key=context.idempotency_key)
        context.progress(0.5, "paid")

Rules: a context may be used in any thread. In a worker process its idempotency key is the same, but it cannot report
progress, and ``is_cancelled`` is always False: if the step is cancelled, the process is killed. Progress that is
reported after the end of the step is ignored.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from taskrun.core.journal import StepRecord
from taskrun.core.timers import now
from taskrun.errors import RunError

if TYPE_CHECKING:
    from taskrun.core.frame import Frame

ReportProgress: TypeAlias = Callable[[float, str], None]
"""A function that takes the progress as a fraction from 0 to 1, and a text for people."""


def _never() -> bool:
    """Return False: the default for ``stopped`` of a context that cannot be cancelled."""
    return False


@dataclass(frozen=True, slots=True)
class StepContext:
    """What a Python function can ask and tell the step that calls it: identity, cancellation, progress.

    Parameters: ``run_id`` is the id of the outermost run, ``path`` the path of the step in it. ``attempt`` is counted
    from 1 by the ``<retry>`` of this step. ``report`` is called for each progress report, in any thread; None if
    progress cannot be reported. ``stopped`` returns whether the step was cancelled.
    """

    run_id: str
    path: str
    attempt: int = 1
    report: ReportProgress | None = field(default=None, repr=False, compare=False)
    stopped: Callable[[], bool] = field(default=_never, repr=False, compare=False)

    @property
    def idempotency_key(self) -> str:
        """A text that identifies this attempt of this step; it stays the same if a crash makes it run again.

        Pass it to a service, so that the service does the same work only once.
        """
        return f"{self.run_id}/{self.path}/{self.attempt}"

    @property
    def is_cancelled(self) -> bool:
        """Whether the run or step was cancelled; a long function in a thread should check it often, and then return."""
        return self.stopped()

    def progress(self, fraction: float, text: str = "") -> None:
        """Report how far the work is: ``fraction`` is a number from 0 to 1, ``text`` tells people more.

        Raises ValueError for a number outside this range, and RunError in a worker process.
        """
        if isinstance(fraction, bool) or not isinstance(fraction, int | float) or not 0 <= fraction <= 1:
            raise ValueError(f"progress goes from 0 to 1, not {fraction!r}")
        if self.report is None:
            raise RunError(
                f"step '{self.path}': a worker process cannot report progress; "
                'leave out the executor, or use executor="thread"'
            )
        self.report(float(fraction), str(text))

    def __reduce__(self) -> tuple[Any, ...]:
        return StepContext, (self.run_id, self.path, self.attempt)


@contextmanager
def step_context(frame: Frame, *, shielded: bool = False) -> Iterator[StepContext]:
    """Yield the StepContext for one call of a function; it reports progress only inside the ``with`` block.

    A ``shielded`` call (of a compensation) continues although the run is cancelled, so its context is never cancelled.
    """
    run, path = frame.run, frame.path
    loop, thread = asyncio.get_running_loop(), threading.get_ident()
    over = cancelled = False

    def record(fraction: float, text: str) -> None:
        if over:
            return
        if run.traced:
            from taskrun.core.events import StepProgress

            run.emit(StepProgress(run.run_id, path, fraction, text))
        if run.journal.records and not run.is_aborted:
            progress = json.dumps({"fraction": fraction, "text": text}, ensure_ascii=False)
            run.journal.note(StepRecord(f"{path}:progress", "progress", outputs=progress, ended=now()))

    def report(fraction: float, text: str) -> None:
        if threading.get_ident() == thread:
            record(fraction, text)
        elif not over:
            loop.call_soon_threadsafe(record, fraction, text)

    def stopped() -> bool:
        return cancelled or (run.is_cancelled and not shielded)

    try:
        yield StepContext(run.top.run_id, path, frame.attempt, report, stopped)
    except asyncio.CancelledError:
        cancelled = True
        raise
    finally:
        over = True
