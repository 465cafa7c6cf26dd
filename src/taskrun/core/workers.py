"""Where Python functions run that are not coroutines: worker threads and worker processes.

Rules: a thread's work cannot be stopped, so when its step is cancelled the work is abandoned and its result dropped; the
threads are daemons, so that abandoned work never keeps the program alive. A process's work is stopped by killing the
process: every job has a process of its own while it runs, so no other job is hit. Processes are loky's, an extra that
is imported on first use.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from queue import SimpleQueue
from typing import Any

from taskrun.errors import PluginError, RunError

MAX_THREADS = 64
IDLE_PROCESS_SECONDS = 30


class Threads(Executor):
    """Daemon threads that are made when needed and used again, at most 64 that are not abandoned."""

    def __init__(self, limit: int = MAX_THREADS) -> None:
        self._crew = _Crew(limit)
        weakref.finalize(self, self._crew.stop)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run ``fn(*args, **kwargs)`` in a thread; the returned future gives its value or what it raised."""
        job = _Job(partial(contextvars.copy_context().run, fn, *args, **kwargs))
        self._crew.add(job)
        return job

    def abandon(self, future: Future[Any]) -> None:
        """Forget a job that nobody waits for any more; the thread that it holds no longer counts."""
        if not future.cancel() and isinstance(future, _Job):
            self._crew.abandon(future)


class _Job(Future[Any]):
    """A function to call, which is also the future that gets its value."""

    def __init__(self, function: Callable[[], Any]) -> None:
        super().__init__()
        self.function = function
        self.ended = self.abandoned = False

    def run(self) -> None:
        if not self.set_running_or_notify_cancel():
            return
        try:
            value = self.function()
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to the step that called
            self.set_exception(error)
        except BaseException as error:  # noqa: BLE001 - sys.exit() in a step must not end a worker thread unnoticed
            failure = RunError(f"the function raised {type(error).__name__}")
            failure.__cause__ = error
            self.set_exception(failure)
        else:
            self.set_result(value)


class _Crew:
    """The threads themselves. They know nothing of the ``Threads`` that owns them, so that it can be collected."""

    def __init__(self, limit: int) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._limit = limit
        self._count = 0  # of threads that are not abandoned
        self._spare = 0  # threads that wait for a job; below 0: jobs that wait for a thread

    def add(self, job: _Job) -> None:
        with self._lock:
            self._jobs.put(job)
            if self._spare <= 0 and self._count < self._limit:
                self._start()
            else:
                self._spare -= 1

    def abandon(self, job: _Job) -> None:
        with self._lock:
            if job.ended:
                return
            job.abandoned = True
            self._count -= 1
            if self._spare < 0:
                self._spare += 1
                self._start()

    def stop(self) -> None:
        self._jobs.put(None)

    def _start(self) -> None:
        self._count += 1
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.run()
            with self._lock:
                job.ended = True
                if job.abandoned:
                    return  # another thread has its place
                self._spare += 1
            del job
        self._jobs.put(None)  # for the next one


class Processes:
    """Worker processes, one for each job that runs, used again by later jobs."""

    def __init__(self, limit: int | None = None) -> None:
        self._limit = limit or os.cpu_count() or 1
        self._idle: list[Executor] = []
        self._permits: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = (
            weakref.WeakKeyDictionary()
        )

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return ``function(*arguments)`` as evaluated in a process; when cancelled, the process is killed."""
        loop = asyncio.get_running_loop()
        permits = self._permits.setdefault(loop, asyncio.Semaphore(self._limit))
        async with permits:
            executor = self._idle.pop() if self._idle else _new_process()
            try:
                value = await loop.run_in_executor(executor, function, *arguments)
            except Exception:
                self._give_back(executor)
                raise
            except BaseException:
                executor.shutdown(wait=False, kill_workers=True)  # type: ignore[call-arg]
                raise
            self._give_back(executor)
            return value

    def _give_back(self, executor: Executor) -> None:
        broken = getattr(getattr(executor, "_flags", None), "broken", None)
        if broken is None:
            self._idle.append(executor)
        else:
            executor.shutdown(wait=False)

    def close(self) -> None:
        """End the idle processes."""
        while self._idle:
            self._idle.pop().shutdown(wait=False, kill_workers=True)  # type: ignore[call-arg]


def _new_process() -> Executor:
    try:
        from loky import ProcessPoolExecutor
    except ImportError:
        message = "executor 'process' needs the package loky: pip install 'taskrun[process]'"
        raise PluginError(message) from None
    executor: Executor = ProcessPoolExecutor(max_workers=1, timeout=IDLE_PROCESS_SECONDS)
    return executor


async def run_in(executor: Executor, function: Callable[..., Any], *arguments: Any) -> Any:
    """Return ``function(*arguments)`` as run by an executor; when cancelled, work that has begun is abandoned."""
    loop = asyncio.get_running_loop()
    if not isinstance(executor, Threads):
        return await loop.run_in_executor(executor, function, *arguments)
    started: list[Future[Any]] = []

    class Keeping(Executor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            started.append(executor.submit(fn, *args, **kwargs))
            return started[0]

    try:
        return await loop.run_in_executor(Keeping(), function, *arguments)
    except asyncio.CancelledError:
        executor.abandon(started[0])
        raise
