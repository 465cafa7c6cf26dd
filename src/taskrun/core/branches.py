"""Concurrent branches that never outlive their block.

    async with Branches() as branches:
        for step in steps:
            await branches.start(step.name, partial(step.run, frame), step.may_suspend)
        while branches.unfinished:
            key, outcome = await branches.next()

Rules: a branch that cannot suspend is run at once, in place, and needs no Task; one that can gets a Task. Outcomes come
in the order in which the branches ended, an exception as a value. Leaving the block cancels what is unfinished and
waits for its end, however often the waiting itself is cancelled.
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
    """A block of concurrent branches; see the module."""

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
        """Whether there are branches whose outcome has not been taken."""
        return bool(self._tasks or self._ended)

    @property
    def ended(self) -> bool:
        """Whether an outcome is ready to be taken."""
        return bool(self._ended)

    async def start(self, key: Hashable, run: Callable[[], Awaitable[Completion]], may_suspend: bool) -> None:
        """Start a branch; one that cannot suspend has ended when this returns."""
        if may_suspend:
            task = asyncio.create_task(_complete(run))
            self._tasks[task] = key
            task.add_done_callback(self._on_done)
            return
        try:
            outcome: Outcome = await run()
        except Exception as error:  # noqa: BLE001 - an outcome, raised again by whoever joins
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
        key = self._tasks.pop(task)
        if self._closing:
            if not task.cancelled():
                task.exception()  # seen: nobody joins this branch any more
            return
        outcome: Outcome
        if task.cancelled():
            outcome = RunError("the branch was cancelled from inside")
        elif (error := task.exception()) is None:
            outcome = task.result()
        elif isinstance(error, Exception):
            outcome = error
        elif isinstance(error, RunAborted):
            self._stopped = error
            self._wake()
            return
        else:
            outcome = RunError(f"the branch raised {type(error).__name__}")
            outcome.__cause__ = error
        self._ended.append((key, outcome))
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


async def _complete(run: Callable[[], Awaitable[Completion]]) -> Completion:
    # the branch's own coroutine is made in here: a Task that is cancelled before its first step would never await it
    return await run()


async def cancel_all(tasks: dict[asyncio.Task[Completion], Hashable]) -> None:
    """Cancel the tasks and wait until every one has ended; a cancellation that comes meanwhile is raised afterwards."""
    cancelled: asyncio.CancelledError | None = None
    for task in tuple(tasks):
        task.cancel()
    while tasks:
        try:
            await asyncio.wait(tuple(tasks))
            await asyncio.sleep(0)  # lets the callbacks that forget the tasks run
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
