"""Signals to a process that executes a run: what happens while there is no active run to cancel."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress

import pytest
from small_flows import Bench, task

from taskrun import TaskManager
from taskrun.cli.run_execution import cancel_on_signals
from taskrun.errors import RunCancelled

NUMBERS = [signal.SIGINT, signal.SIGTERM]


@pytest.mark.parametrize("number", NUMBERS)
def test_outside_an_event_loop(number: signal.Signals) -> None:
    """KeyboardInterrupt is raised at once, and the handlers from before are set again."""
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), cancel_on_signals(TaskManager()):
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", NUMBERS)
def test_inside_a_task(number: signal.Signals) -> None:
    """KeyboardInterrupt is raised in the code of the task."""
    said = []

    async def main() -> None:
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt:
            said.append("interrupted")
            raise

    with pytest.raises(KeyboardInterrupt), cancel_on_signals(TaskManager()):
        asyncio.run(main())
    assert said == ["interrupted"]


@pytest.mark.parametrize("number", NUMBERS)
def test_inside_the_code_of_an_event_loop(number: signal.Signals) -> None:
    """The callback is not interrupted, and the tasks are cancelled: the loop may have a task in its hands."""
    said = []

    def callback() -> None:
        signal.raise_signal(number)
        said.append("not interrupted")

    async def main() -> None:
        asyncio.get_running_loop().call_soon(callback)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            said.append("cancelled")
            raise

    with pytest.raises(KeyboardInterrupt), cancel_on_signals(TaskManager()):
        asyncio.run(main())
    assert said == ["not interrupted", "cancelled"]


def test_a_swallowed_interrupt(bench: Bench) -> None:
    """A run that starts although a finalizer has swallowed KeyboardInterrupt is cancelled."""
    path = bench.write(task('<sleep name="nap" sleepMillisExpr="60s"/>'))
    manager = TaskManager()

    async def main() -> None:
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        await manager.run_async(path)

    with pytest.raises(RunCancelled), cancel_on_signals(manager):
        asyncio.run(main())


def test_a_cancellation_without_a_signal() -> None:
    """CancelledError of other origin is not converted."""
    with pytest.raises(asyncio.CancelledError), cancel_on_signals(TaskManager()):
        raise asyncio.CancelledError
