"""What a Python function learns of the step that calls it: the parameter ``context``.

    def pay(order, context):
        bank.pay(order.total, key=context.idempotency_key)
        context.progress(0.5, "paid")

Rules: it may be used in any thread. In a worker process it has the same key, but nobody hears of its progress; there is
no cancelling there either, because a cancelled process is killed. After its step is over it tells nothing any more.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from taskrun.core.events import StepProgress
from taskrun.core.journal import StepRecord
from taskrun.core.timers import now
from taskrun.errors import RunError

if TYPE_CHECKING:
    from taskrun.core.frame import Frame

CONTEXT = "context"
"""The parameter that gets a StepContext unless the flow gives it something else."""

Tell: TypeAlias = Callable[[float, str], None]


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class StepContext:
    """The step that calls a function, and the ways to talk to its run.

    Parameters: ``run_id`` is the id of the run that was started, ``path`` the step's path in it, ``attempt`` counts the
    attempts of the step's own ``<retry>`` from 1, ``tell`` takes progress (callable from any thread), ``stopped`` says
    whether the work is to stop.
    """

    run_id: str
    path: str
    attempt: int = 1
    tell: Tell | None = field(default=None, repr=False, compare=False)
    stopped: Callable[[], bool] = field(default=_never, repr=False, compare=False)

    @property
    def idempotency_key(self) -> str:
        """A text that is the same whenever this attempt of this step is made again after a crash, and no other's."""
        return f"{self.run_id}/{self.path}/{self.attempt}"

    @property
    def is_cancelled(self) -> bool:
        """Whether the run or the step was cancelled; long work in a thread asks this now and then, and stops."""
        return self.stopped()

    def progress(self, fraction: float, text: str = "") -> None:
        """Tell how far the work is: ``fraction`` goes from 0 to 1, ``text`` says more.

        Raises ValueError for another fraction, RunError in a worker process.
        """
        if isinstance(fraction, bool) or not isinstance(fraction, int | float) or not 0 <= fraction <= 1:
            raise ValueError(f"progress goes from 0 to 1, not {fraction!r}")
        if self.tell is None:
            raise RunError(
                f"step '{self.path}': a worker process cannot tell its progress; "
                'leave out the executor, or say executor="thread"'
            )
        self.tell(float(fraction), str(text))

    def __reduce__(self) -> tuple[Any, ...]:
        return StepContext, (self.run_id, self.path, self.attempt)


@contextmanager
def step_context(frame: Frame, *, shielded: bool = False) -> Iterator[StepContext]:
    """Make the context of a call that the body of the ``with`` makes; ``shielded`` work is not told to stop."""
    run, path = frame.run, frame.path
    loop, thread = asyncio.get_running_loop(), threading.get_ident()
    over = cancelled = False

    def record(fraction: float, text: str) -> None:
        if over:
            return
        if run.traced:
            run.emit(StepProgress(run.run_id, path, fraction, text))
        if run.journal.records and not run.is_aborted:
            said = json.dumps({"fraction": fraction, "text": text}, ensure_ascii=False)
            run.journal.note(StepRecord(f"{path}:progress", "progress", outputs=said, ended=now()))

    def tell(fraction: float, text: str) -> None:
        if threading.get_ident() == thread:
            record(fraction, text)
        elif not over:
            loop.call_soon_threadsafe(record, fraction, text)

    def stopped() -> bool:
        return cancelled or (run.is_cancelled and not shielded)

    try:
        yield StepContext(run.top.run_id, path, frame.attempt, tell, stopped)
    except asyncio.CancelledError:
        cancelled = True
        raise
    finally:
        over = True
