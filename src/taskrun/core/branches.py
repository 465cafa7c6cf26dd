"""Concurrent branches of a step: asyncio tasks, all of which have ended when the ``async with`` block ends.

    async with Branches() as branches:
        for step in steps:
            await branches.start(step.name, partial(step.run, frame), step.may_suspend)
        while branches.unfinished:
            key, outcome = await branches.next()

Rules: a branch that never awaits is run by ``start`` itself, without an asyncio task. ``next`` returns the outcomes in
the order in which the branches end; an exception is returned, not raised. At the end of the block the branches that
still run are cancelled and awaited, even if the block itself is cancelled meanwhile.
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
    """Context manager that runs concurrent branches; ``start`` begins one and ``next`` returns how one ended.

    No branch runs longer than the ``async with`` block; see the module docstring for an example.
    """

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
        """Whether there are branches whose outcome ``next`` has not returned yet, running or ended."""
        return bool(self._tasks or self._ended)

    @property
    def ended(self) -> bool:
        """Whether a branch has ended whose outcome ``next`` can return without waiting."""
        return bool(self._ended)

    async def start(self, key: Hashable, run: Callable[[], Awaitable[Completion]], may_suspend: bool) -> None:
        """Start a branch as an asyncio task; a branch that never awaits is run to its end here, without a task.

        Parameters: ``key`` is what ``next`` returns to identify the branch. ``run`` is called once and returns the
        coroutine of the branch. ``may_suspend`` is False if that coroutine never awaits.
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
        """Wait until a branch has ended, remove its outcome from the queue, and return its key and the outcome.

        The outcome is the completion of the branch, or the exception that it raised. Outcomes come in the order in
        which the branches end. Raises RunAborted if a branch was stopped by an abort of the run.
        """
        while not self._ended:
            if self._stopped is not None:
                raise self._stopped
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._ended.popleft()

    def _on_done(self, task: asyncio.Task[Completion]) -> None:
        """Queue the outcome of an asyncio task that has ended; ignore it if the ``async with`` block is being left."""
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
        """Wake up the call of ``next`` that waits for an outcome, if there is one."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


async def _complete(run: Callable[[], Awaitable[Completion]]) -> Completion:
    """Create and await the coroutine of a branch.

    The coroutine is created inside the asyncio task, so that a task that is cancelled before it starts leaves no
    coroutine that was never awaited.
    """
    return await run()


async def cancel_all(tasks: dict[asyncio.Task[Completion], Hashable]) -> None:
    """Cancel the asyncio tasks and wait until all have ended and their done callbacks have removed them from ``tasks``.

    If the caller is cancelled while it waits, CancelledError is raised only after all of them have ended.
    """
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
