"""Worker threads and worker processes, which run Python functions that are not coroutines.

Rules: a function in a thread cannot be stopped. If its step is cancelled, the thread is abandoned: the function runs
on, and its result is ignored. Threads are daemons, so that an abandoned one does not delay the end of the program. A
function in a process is stopped by killing the process, which runs one function at a time. Processes need the package
loky (``pip install 'taskrun[process]'``), which is imported at the first use.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from functools import cached_property, partial
from queue import SimpleQueue
from typing import Any

from taskrun.errors import PluginError, RunError

MAX_THREADS = 64
"""The default maximum number of threads of a ``Threads`` object; abandoned threads do not count."""
IDLE_PROCESS_SECONDS = 30
"""After this many seconds without work, a worker process ends."""


@dataclass(eq=False)
class Threads(Executor):
    """Pool of at most ``limit`` daemon threads, which are started when needed and reused; abandoned ones do not count.

    A thread is abandoned when its step was cancelled but its function cannot be stopped.
    """

    limit: int = MAX_THREADS

    @cached_property
    def _pool(self) -> _ThreadPool:
        """The threads and their queue; the threads end when this object is garbage-collected."""
        pool = _ThreadPool(self.limit)
        weakref.finalize(self, pool.stop)
        return pool

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run ``fn(*args, **kwargs)`` in a thread; return a Future, which gets its value or exception."""
        job = _Job(partial(contextvars.copy_context().run, fn, *args, **kwargs))
        self._pool.add(job)
        return job

    def abandon(self, future: Future[Any]) -> None:
        """Give up a function whose result is not needed any more; ``future`` is what ``submit`` returned.

        If it has not started, it is cancelled. If it is running, its thread does not count towards the limit any more.
        """
        if not future.cancel() and isinstance(future, _Job):
            self._pool.abandon(future)


class _Job(Future[Any]):
    """A function to run in a thread (a job); the object is also the Future of the function's value."""

    def __init__(self, function: Callable[[], Any]) -> None:
        super().__init__()
        self.function = function
        self.ended = self.abandoned = False

    def run(self) -> None:
        """Call the function and store its value or exception in the Future; do nothing if the Future was cancelled."""
        if not self.set_running_or_notify_cancel():
            return
        try:
            value = self.function()
        except Exception as error:  # noqa: BLE001 - raised again in the step that waits for the future
            self.set_exception(error)
        except BaseException as error:  # noqa: BLE001 - sys.exit() in a step must not end a worker thread unnoticed
            name = type(error).__name__
            failure = RunError(
                f"the function raised {name}, which is no Exception: raise a subclass of Exception instead"
            )
            failure.__cause__ = error
            self.set_exception(failure)
        else:
            self.set_result(value)


class _ThreadPool:
    """The threads and the queue of one ``Threads`` object.

    It has no reference to that object; otherwise its threads would keep the object from being garbage-collected.
    """

    def __init__(self, limit: int) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._limit = limit
        self._count = 0  # the threads that are not abandoned
        self._spare = 0  # the threads without a job; below 0: the jobs without a thread

    def add(self, job: _Job) -> None:
        """Queue a function, and start a thread for it if none is idle and the limit is not reached."""
        with self._lock:
            self._jobs.put(job)
            if self._spare <= 0 and self._count < self._limit:
                self._start()
            else:
                self._spare -= 1

    def abandon(self, job: _Job) -> None:
        """Stop counting the thread of a running function towards the limit; start another if functions are waiting."""
        with self._lock:
            if job.ended:
                return
            job.abandoned = True
            self._count -= 1
            if self._spare < 0:
                self._spare += 1
                self._start()

    def stop(self) -> None:
        """Make all threads end after the functions that are queued; does not wait for them."""
        self._jobs.put(None)

    def _start(self) -> None:
        """Start one more thread, which runs queued functions; the caller holds the lock."""
        self._count += 1
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        """Run queued functions, as the main function of a thread, until None is queued or the thread is abandoned."""
        while (job := self._jobs.get()) is not None:
            job.run()
            with self._lock:
                job.ended = True
                if job.abandoned:
                    return  # it no longer counts towards the limit
                self._spare += 1
            del job
        self._jobs.put(None)  # ends the next thread too


@dataclass(slots=True, eq=False)
class Processes:
    """Pool of worker processes, which are started when needed and reused; each runs one function at a time.

    At most ``limit`` functions run at once in one event loop; None means the number of processors.
    """

    limit: int | None = None
    _idle: list[Executor] = field(default_factory=list, init=False)
    _permits: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = field(
        default_factory=weakref.WeakKeyDictionary, init=False
    )

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call ``function(*arguments)`` in a worker process and return the value or raise its exception.

        If the caller is cancelled, the process is killed. Raises PluginError if the package loky is not installed.
        """
        loop = asyncio.get_running_loop()
        permits = self._permits.setdefault(loop, asyncio.Semaphore(self.limit or os.cpu_count() or 1))
        async with permits:
            executor = self._idle.pop() if self._idle else _new_process()
            try:
                value = await loop.run_in_executor(executor, function, *arguments)
            except Exception:
                self._reuse(executor)
                raise
            except BaseException:
                executor.shutdown(wait=False, kill_workers=True)  # type: ignore[call-arg]
                raise
            self._reuse(executor)
            return value

    def _reuse(self, executor: Executor) -> None:
        """Keep a worker process for the next function, unless it has died."""
        broken = getattr(getattr(executor, "_flags", None), "broken", None)
        if broken is None:
            self._idle.append(executor)
        else:
            executor.shutdown(wait=False)

    def close(self) -> None:
        """Kill the worker processes that are idle; those that run a function continue."""
        while self._idle:
            self._idle.pop().shutdown(wait=False, kill_workers=True)  # type: ignore[call-arg]


def _new_process() -> Executor:
    """Start a worker process, as an Executor with one process.

    Raise PluginError if the package loky is not installed.
    """
    try:
        from loky import ProcessPoolExecutor
    except ImportError:
        message = "executor 'process' needs the package loky: pip install 'taskrun[process]'"
        raise PluginError(message) from None
    executor: Executor = ProcessPoolExecutor(max_workers=1, timeout=IDLE_PROCESS_SECONDS)
    return executor


async def run_in(executor: Executor, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call ``function(*arguments)`` in an executor and return the value.

    If the caller is cancelled and the executor is a ``Threads``, the function is abandoned there.
    """
    loop = asyncio.get_running_loop()
    if not isinstance(executor, Threads):
        return await loop.run_in_executor(executor, function, *arguments)
    started: list[Future[Any]] = []

    class Capturing(Executor):
        """Executor that passes a function on to ``executor`` and keeps the Future, which asyncio does not show."""

        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            started.append(executor.submit(fn, *args, **kwargs))
            return started[0]

    try:
        return await loop.run_in_executor(Capturing(), function, *arguments)
    except asyncio.CancelledError:
        executor.abandon(started[0])
        raise
