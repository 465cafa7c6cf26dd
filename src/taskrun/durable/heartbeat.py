"""What a recorded run does beside its steps: it says that it lives, and hears what others ask of it.

Rules: it is a timer of the run's event loop, not a task, and stops with the run. ``cancel`` stops the running steps now,
``suspend`` lets them finish and starts no new ones. A run that was taken over stops at once and writes nothing more; trouble
of the store is only noted here, since the next record meets it too.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from taskrun.durable.recorder import now
from taskrun.errors import FencedError

if TYPE_CHECKING:
    from taskrun.core.run import Run
    from taskrun.durable.recorder import Recorder

POLL_SECONDS = 0.25
"""After how many seconds it is looked what others ask."""
HEARTBEAT_SECONDS = 2.0
"""After how many seconds the run says that it lives."""
STALE_AFTER = 30.0
"""After how many seconds without a sign an owner may be replaced of which it is not known whether it is dead."""

CANCEL, CANCEL_ONLY, SUSPEND = "cancel", "cancel-only", "suspend"
"""What may be asked of a run: to be cancelled and undone, to be cancelled, to be suspended."""


class Heartbeat:
    """The timer of one recorded run."""

    def __init__(self, run: Run, recorder: Recorder) -> None:
        self._run = run
        self._journal = recorder.journal
        self._beat = now()
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin; call it in the run's event loop."""
        self._handle = asyncio.get_running_loop().call_later(POLL_SECONDS, self._tick)

    def stop(self) -> None:
        """End."""
        if self._handle is not None:
            self._handle.cancel()

    def _tick(self) -> None:
        try:
            self._look()
        except FencedError as error:
            self._journal.problem = self._journal.problem or error
            if self._run.task is not None:
                self._run.task.cancel()
            return
        except Exception as error:  # noqa: BLE001 - without this timer the run would be taken for dead
            logging.getLogger("taskrun").warning("%s: %s", self._run.run_id, error)
        self.start()

    def _look(self) -> None:
        run, journal = self._run, self._journal
        if now() - self._beat >= HEARTBEAT_SECONDS:
            journal.store.heartbeat(run.run_id, journal.epoch, now())
            self._beat = now()
        for asked in journal.store.requests(run.run_id):
            if asked in run.seen_requests:
                continue
            run.seen_requests.add(asked)
            if asked == SUSPEND:
                run.suspending = True
            else:
                run.reverts = asked != CANCEL_ONLY
                run.cancel()
