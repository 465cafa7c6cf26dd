"""Event loop with virtual time: it jumps to the next deadline instead of waiting for it.

    result, elapsed = run_virtual(TaskManager.run_async("nightly.task.xml", {"x": 1}))
    assert elapsed == 3_600_000                      # an hour of <sleep>, run in milliseconds

Rules: only the clock of the loop is virtual, so code must read the time from the loop (``asyncio.sleep``,
``asyncio.timeout``, ``loop.time()``). Calls of ``loop.run_in_executor`` and child processes are real, and the loop
waits for them. They take no virtual time unless they outlast the next deadline, which then passes in real time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

T = TypeVar("T")


class _VirtualTimeSelector(selectors.DefaultSelector):
    """Selector with a virtual clock, which it advances to the next deadline if nothing else is pending."""

    now = 0.0
    jobs = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return the ready files; if there are none, advance the clock by ``timeout`` seconds."""
        jump = timeout is not None and not self.jobs
        ready = super().select(0 if jump else timeout)
        if not ready and timeout:
            self.now += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Event loop whose clock starts at 0 and jumps from deadline to deadline."""

    def __init__(self) -> None:
        self._virtual = _VirtualTimeSelector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Return the virtual time in seconds since the loop was created."""
        return self._virtual.now

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Call ``func(*args)`` in a real thread or process; meanwhile the clock advances no faster than real time."""
        future = super().run_in_executor(executor, func, *args)
        self._virtual.jobs += 1
        future.add_done_callback(self._job_done)
        return future

    async def subprocess_exec(self, protocol_factory: Callable[[], Any], *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """Start a real process; until it ends, the clock advances no faster than real time."""

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
        """Count a finished call of ``run_in_executor``."""
        self._virtual.jobs -= 1


def run_virtual(coroutine: Coroutine[Any, Any, T]) -> tuple[T, float]:
    """Run a coroutine in an event loop with virtual time.

    Returns its result, and its duration in virtual milliseconds (whole numbers are exact). Raises the errors of the
    coroutine, and RuntimeError if an event loop is running already.
    """
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        result = runner.run(coroutine)
        return result, round(runner.get_loop().time() * 1000, 6)
