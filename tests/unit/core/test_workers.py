"""Worker threads and processes: values, exceptions, abandoned threads and killed processes."""

from __future__ import annotations

import asyncio
import builtins
import gc
import os
import sys
import threading
import time
import weakref
from typing import Any

import pytest

from taskrun.core.workers import Processes, Threads, run_in
from taskrun.errors import PluginError, RunError


def sleep_forever() -> None:
    time.sleep(600)


def test_the_future_has_the_value_or_the_exception() -> None:
    threads = Threads()
    assert threads.submit(max, 1, 2).result(5) == 2
    with pytest.raises(ZeroDivisionError):
        threads.submit(divmod, 1, 0).result(5)


def test_system_exit_in_a_thread_is_a_failure() -> None:
    with pytest.raises(RunError, match="raised SystemExit") as caught:
        Threads().submit(sys.exit, 3).result(5)
    assert isinstance(caught.value.__cause__, SystemExit)


def test_threads_are_reused() -> None:
    threads = Threads()
    names = set()
    for _ in range(20):
        names.add(threads.submit(threading.get_ident).result(5))
        time.sleep(0.001)  # the thread counts as spare just after its job's end
    assert len(names) < 20


def test_a_cancelled_job_is_not_started() -> None:
    threads = Threads(1)
    gate = threading.Event()
    first = threads.submit(gate.wait, 5)
    second = threads.submit(int)
    threads.abandon(second)
    gate.set()
    assert first.result(5)
    assert threads.submit(max, 1, 2).result(5) == 2
    assert second.cancelled()


def test_another_thread_replaces_an_abandoned_one() -> None:
    threads = Threads(1)
    gate = threading.Event()
    begun = threading.Event()

    def block() -> None:
        begun.set()
        gate.wait(10)

    stuck = threads.submit(block)
    assert begun.wait(5)
    waiting = threads.submit(max, 1, 2)
    threads.abandon(stuck)
    assert waiting.result(5) == 2
    gate.set()
    stuck.result(5)
    assert threads.submit(max, 3, 4).result(5) == 4


def test_abandoning_an_ended_job_has_no_effect() -> None:
    threads = Threads(1)
    job = threads.submit(int)
    job.result(5)
    time.sleep(0.01)
    threads.abandon(job)
    assert threads.submit(max, 3, 4).result(5) == 4


def test_abandoning_a_thread_while_no_job_waits() -> None:
    threads = Threads(2)
    gate, begun = threading.Event(), threading.Event()
    stuck = threads.submit(lambda: (begun.set(), gate.wait(10)))
    assert begun.wait(5)
    threads.abandon(stuck)
    gate.set()
    assert threads.submit(max, 3, 4).result(5) == 4


def test_threads_end_with_their_owner() -> None:
    threads = Threads()
    found: list[threading.Thread] = []
    threads.submit(lambda: found.append(threading.current_thread())).result(5)
    owner = weakref.ref(threads)
    del threads
    gc.collect()
    assert owner() is None
    found[0].join(5)
    assert not found[0].is_alive()


def test_cancelling_abandons_the_thread() -> None:
    threads = Threads(1)
    gate, begun = threading.Event(), threading.Event()

    def block() -> None:
        begun.set()
        gate.wait(10)

    async def scenario() -> int:
        task = asyncio.create_task(run_in(threads, block))
        assert await asyncio.to_thread(begun.wait, 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await run_in(threads, max, 1, 2)

    assert asyncio.run(scenario()) == 2
    gate.set()


def test_a_process_returns_the_value_or_raises_the_exception() -> None:
    processes = Processes(1)

    async def scenario() -> tuple[Any, Any]:
        with pytest.raises(ZeroDivisionError):
            await processes.run(divmod, 1, 0)
        return await processes.run(os.getpid), await processes.run(os.getpid)

    first, second = asyncio.run(scenario())
    processes.close()
    assert first == second != os.getpid()


def test_cancelling_kills_the_process() -> None:
    processes = Processes(1)

    async def scenario() -> tuple[int, int]:
        before = await processes.run(os.getpid)
        task = asyncio.create_task(processes.run(sleep_forever))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return before, await processes.run(os.getpid)

    before, after = asyncio.run(scenario())
    processes.close()
    assert before != after


def test_a_dead_process_is_not_reused() -> None:
    processes = Processes(1)

    async def scenario() -> int:
        with pytest.raises(Exception, match=r"terminated|died|unexpected"):
            await processes.run(os._exit, 7)
        return await processes.run(max, 1, 2)

    assert asyncio.run(scenario()) == 2
    processes.close()


def test_without_loky_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "loky", None)
    with pytest.raises(PluginError, match=r"taskrun\[process\]"):
        asyncio.run(Processes(1).run(builtins.max, 1, 2))
