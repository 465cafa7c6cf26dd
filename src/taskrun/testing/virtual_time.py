"""Time that does not pass: an event loop which jumps to the next deadline instead of waiting for it.

    result, elapsed = run_virtual(TaskManager.run_async("nightly.task.xml", {"x": 1}))
    assert elapsed == 3_600_000                      # an hour of <sleep>, over in milliseconds

Rules: only the clock of the loop is replaced, so code has to read the time from the loop (``asyncio.sleep``,
``asyncio.timeout``, ``loop.time()``). Work handed to ``loop.run_in_executor`` and processes are real and are waited for: they take no
virtual time, unless they outlast the next deadline, which then passes as it would without this loop.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    """A selector that knows the time, and moves it on when there is nothing else to wait for."""

    now = 0.0
    jobs = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        jump = timeout is not None and not self.jobs
        ready = super().select(0 if jump else timeout)
        if not ready and timeout:
            self.now += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock starts at 0 and jumps from deadline to deadline."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Return the virtual time in seconds since the loop was made."""
        return self._virtual.now

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Run ``func(*args)`` in a real thread or process; meanwhile the clock moves no faster than real time."""
        future = super().run_in_executor(executor, func, *args)
        self._virtual.jobs += 1
        future.add_done_callback(self._job_done)
        return future

    async def subprocess_exec(self, protocol_factory: Callable[[], Any], *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """Start a real process; until it ends the clock moves no faster than real time."""

        def watched() -> Any:
            protocol = protocol_factory()
            told = protocol.process_exited

            def process_exited() -> None:
                self._virtual.jobs -= 1
                told()

            protocol.process_exited = process_exited
            return protocol

        self._virtual.jobs += 1
        try:
            return await super().subprocess_exec(watched, *args, **kwargs)
        except OSError:  # it was never started
            self._virtual.jobs -= 1
            raise

    def _job_done(self, _: asyncio.Future[Any]) -> None:
        self._virtual.jobs -= 1


def run_virtual(coroutine: Coroutine[Any, Any, T]) -> tuple[T, float]:
    """Run a coroutine to its end in virtual time.

    Returns what it returns, and the virtual milliseconds that it took (whole numbers are exact). Raises what it
    raises, and RuntimeError when called inside a running event loop.
    """
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        result = runner.run(coroutine)
        return result, round(runner.get_loop().time() * 1000, 6)
