"""StepContext: the value of the parameter ``context`` of a Python function that a step calls.

    def pay(order, context):
        bank.pay(order.total, key=context.idempotency_key)
        context.progress(0.5, "paid")

Rules: a context may be used in any thread. In a worker process it has the same idempotency key, but cannot report
progress and is never cancelled: the process of a cancelled step is killed. Progress that is reported after the end of
the step is ignored.
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
"""Function that takes a fraction from 0 to 1 and a text."""


def _never() -> bool:
    """Return False, because a context that is created without ``stopped`` is never cancelled."""
    return False


@dataclass(frozen=True, slots=True)
class StepContext:
    """The step that calls a function: its identity, its progress reports and its cancellation.

    Parameters: ``run_id`` is the id of the run that was started, ``path`` the path of the step in it, ``attempt`` the
    attempt of the step's own ``<retry>``, counted from 1. ``report`` receives the progress and may be called from any
    thread; ``stopped`` returns whether the step was cancelled.
    """

    run_id: str
    path: str
    attempt: int = 1
    report: ReportProgress | None = field(default=None, repr=False, compare=False)
    stopped: Callable[[], bool] = field(default=_never, repr=False, compare=False)

    @property
    def idempotency_key(self) -> str:
        """A text that identifies this attempt of this step, and is the same when it is executed again after a crash."""
        return f"{self.run_id}/{self.path}/{self.attempt}"

    @property
    def is_cancelled(self) -> bool:
        """Whether the run or the step was cancelled; long work in a thread should check this regularly, and stop."""
        return self.stopped()

    def progress(self, fraction: float, text: str = "") -> None:
        """Report the progress of the work: a ``fraction`` from 0 to 1 and a text for people.

        Raises ValueError for another fraction, RunError in a worker process.
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
    """Create the context of a call for the body of the ``with`` block.

    The context of a ``shielded`` call is never cancelled.
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
