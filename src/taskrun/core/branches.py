"""Concurrent branches of a step, run by asyncio tasks that end before the ``async with`` block does.

    async with Branches() as branches:
        for step in steps:
            await branches.start(step.name, partial(step.run, frame), step.may_suspend)
        while branches.unfinished:
            key, outcome = await branches.next()

Rules: a branch that never awaits is run by ``start`` itself, without a task. Outcomes are returned in the order in
which the branches end; an exception is returned as a value. At the end of the block the unfinished branches are
cancelled and awaited, even if the block itself is cancelled meanwhile.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from types import TracebackType
from typing import Self

from taskrun.core.completion import Completion
from taskrun.core.control import RunAborted
from taskrun.errors import RunError

Outcome = Completion | Exception


class Branches:
    """Context manager of concurrent branches, which starts them and returns their outcomes."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[Completion], Hashable] = {}
        self._ended: deque[tuple[Hashable, Outcome]] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._closing = False
        self._stopped: RunAborted | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._closing = True
        await cancel_all(self._tasks)

    @property
    def unfinished(self) -> bool:
        """Whether ``next`` has not returned the outcome of every branch yet."""
        return bool(self._tasks or self._ended)

    @property
    def ended(self) -> bool:
        """Whether ``next`` can return an outcome without waiting."""
        return bool(self._ended)

    async def start(self, key: Hashable, run: Callable[[], Awaitable[Completion]], may_suspend: bool) -> None:
        """Start a branch; if it cannot suspend, run it to its end.

        Parameters: ``key`` identifies the branch in ``next``, ``run`` returns a new coroutine, ``may_suspend`` is true
        if the coroutine may await.
        """
        if may_suspend:
            task = asyncio.create_task(_complete(run))
            self._tasks[task] = key
            task.add_done_callback(self._on_done)
            return
        try:
            outcome: Outcome = await run()
        except Exception as error:  # noqa: BLE001 - an outcome, which the join of the branches handles
            outcome = error
        self._ended.append((key, outcome))

    async def next(self) -> tuple[Hashable, Outcome]:
        """Wait for the next branch to end and return its key and its completion or exception."""
        while not self._ended:
            if self._stopped is not None:
                raise self._stopped
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._ended.popleft()

    def _on_done(self, task: asyncio.Task[Completion]) -> None:
        """Store the outcome of a task that has ended."""
        key = self._tasks.pop(task)
        if self._closing:
            if not task.cancelled():
                task.exception()  # marks it as retrieved, so that asyncio logs no warning
            return
        outcome: Outcome
        if task.cancelled():
            outcome = RunError(
                "the branch raised CancelledError although its run is not cancelled: raise another exception instead"
            )
        elif (error := task.exception()) is None:
            outcome = task.result()
        elif isinstance(error, Exception):
            outcome = error
        elif isinstance(error, RunAborted):
            self._stopped = error
            self._wake()
            return
        else:
            name = type(error).__name__
            outcome = RunError(
                f"the branch raised {name}, which is no Exception: raise a subclass of Exception instead"
            )
            outcome.__cause__ = error
        self._ended.append((key, outcome))
        self._wake()

    def _wake(self) -> None:
        """Continue a waiting call of ``next``."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


async def _complete(run: Callable[[], Awaitable[Completion]]) -> Completion:
    """Create and run the coroutine of a branch; a task cancelled before its start then leaves no unawaited coroutine."""
    return await run()


async def cancel_all(tasks: dict[asyncio.Task[Completion], Hashable]) -> None:
    """Cancel the tasks and wait until all have ended; a cancellation of the caller is raised only after that."""
    cancelled: asyncio.CancelledError | None = None
    for task in tuple(tasks):
        task.cancel()
    while tasks:
        try:
            await asyncio.wait(tuple(tasks))
            await asyncio.sleep(0)  # the callbacks remove the tasks
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
