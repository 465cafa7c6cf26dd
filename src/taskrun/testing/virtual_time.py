"""Event loop with virtual time: instead of waiting for the next timer, it sets its clock forward to it.

    result, elapsed = run_virtual(TaskManager.run_async("nightly.task.xml", {"x": 1}))
    assert elapsed == 3_600_000                      # an hour of <sleep>, run in milliseconds

Rules: only the clock of the loop is virtual, so code must read the time from the loop (``asyncio.sleep``,
``asyncio.timeout``, ``loop.time()``). Calls of ``loop.run_in_executor`` and child processes take real time, and the
loop waits for them. On the virtual clock they take no time, unless a timer is due before they end: while they run, the
clock goes no faster than real time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

T = TypeVar("T")


class _VirtualTimeSelector(selectors.DefaultSelector):
    """Selector with the virtual clock: instead of waiting for the next timer, it sets the clock forward to it.

    ``now`` is the virtual time in seconds. While ``jobs`` (functions in executors, child processes) are running, it
    waits in real time.
    """

    now = 0.0
    jobs = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return the files that are ready; if there are none, set the clock ``timeout`` seconds forward."""
        jump = timeout is not None and not self.jobs
        ready = super().select(0 if jump else timeout)
        if not ready and timeout:
            self.now += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Event loop with a virtual clock, which starts at 0 and jumps from timer to timer; see ``run_virtual``."""

    def __init__(self) -> None:
        self._virtual = _VirtualTimeSelector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Return the virtual time in seconds; it was 0 when the loop was created."""
        return self._virtual.now

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Call ``func(*args)`` in a real thread or process; until it ends, the clock goes no faster than real time."""
        future = super().run_in_executor(executor, func, *args)
        self._virtual.jobs += 1
        future.add_done_callback(self._job_done)
        return future

    async def subprocess_exec(self, protocol_factory: Callable[[], Any], *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """Start a child process; until it ends, the clock goes no faster than real time."""

        def watched() -> Any:
            protocol = protocol_factory()
            report_exit = protocol.process_exited

            def process_exited() -> None:
                self._virtual.jobs -= 1
                report_exit()

            protocol.process_exited = process_exited
            return protocol

        self._virtual.jobs += 1
        try:
            return await super().subprocess_exec(watched, *args, **kwargs)
        except OSError:  # the process was not started
            self._virtual.jobs -= 1
            raise

    def _job_done(self, _: asyncio.Future[Any]) -> None:
        """Note that a function in an executor has ended, so that the clock may jump again."""
        self._virtual.jobs -= 1


def run_virtual(coroutine: Coroutine[Any, Any, T]) -> tuple[T, float]:
    """Run a coroutine in an event loop with virtual time; return its result and its virtual duration in milliseconds.

    Whole milliseconds are exact. Raises the exceptions of the coroutine, and RuntimeError if an event loop is running
    already.
    """
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        result = runner.run(coroutine)
        return result, round(runner.get_loop().time() * 1000, 6)
