"""Heartbeat of a recorded run: renews its lease, and looks for cancel and suspend requests in the store.

Rules: the heartbeat is a timer of the run's event loop, not an asyncio task, and stops with the run. A ``cancel``
request stops the running steps immediately. A ``suspend`` request lets them finish, but no further step starts. If
another process has claimed the run, the run is aborted here. Other failures of the store are only logged: the next
write of the run raises them.
"""

from __future__ import annotations

import asyncio
import logging

from taskrun.core.control import Control
from taskrun.core.timers import now
from taskrun.durable.journal import Journal
from taskrun.errors import FencedError

POLL_SECONDS = 0.25
"""The seconds between two looks for requests in the store."""
HEARTBEAT_SECONDS = 2.0
"""The seconds between two renewals of the lease."""
STALE_AFTER = 30.0
"""An owner that has sent no heartbeat for this number of seconds counts as dead."""


class Heartbeat:
    """Timer that renews the lease of one recorded run and passes requests from the store to the control of the run."""

    def __init__(self, control: Control, journal: Journal) -> None:
        self._control = control
        self._journal = journal
        self._last = now()
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Start the timer; call it in the run's event loop."""
        self._handle = asyncio.get_running_loop().call_later(POLL_SECONDS, self._tick)

    def stop(self) -> None:
        """Stop the timer; the lease is not renewed any more."""
        if self._handle is not None:
            self._handle.cancel()

    def _tick(self) -> None:
        """Renew the lease if it is time, carry out new requests, and start the timer again.

        If another process has claimed the run, abort the run instead.
        """
        journal, control = self._journal, self._control
        try:
            self._renew()
            for request in journal.store.requests(journal.run_id):
                control.handle(request)
        except FencedError as error:
            journal.problem = journal.problem or error
            if control.task is not None:
                control.task.cancel()
            return
        except Exception as error:  # noqa: BLE001 - without this timer the lease of the run would expire
            logging.getLogger("taskrun").warning("%s: %s", journal.run_id, error)
        self.start()

    def _renew(self) -> None:
        """Renew the lease if the last renewal is at least HEARTBEAT_SECONDS ago."""
        if now() - self._last >= HEARTBEAT_SECONDS:
            self._journal.store.heartbeat(self._journal.run_id, self._journal.epoch, now())
            self._last = now()
