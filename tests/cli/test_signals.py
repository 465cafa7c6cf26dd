"""Signals to a process that executes a run: what happens while there is no active run to cancel."""

from __future__ import annotations

import asyncio
import signal

import pytest

from taskrun import TaskManager
from taskrun.cli.run_execution import cancel_on_signals

NUMBERS = [signal.SIGINT, signal.SIGTERM]


@pytest.mark.parametrize("number", NUMBERS)
def test_outside_an_event_loop(number: signal.Signals) -> None:
    """KeyboardInterrupt is raised at once, and the handlers from before are set again."""
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), cancel_on_signals(TaskManager()):
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", NUMBERS)
def test_inside_an_event_loop(number: signal.Signals) -> None:
    """The task is cancelled; an exception inside the code of the loop could leave it without an end."""
    reached = []

    async def main() -> None:
        signal.raise_signal(number)
        reached.append("the next line")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            reached.append("cancelled")
            raise

    with pytest.raises(KeyboardInterrupt), cancel_on_signals(TaskManager()):
        asyncio.run(main())
    assert reached == ["the next line", "cancelled"]


def test_a_cancellation_without_a_signal() -> None:
    """CancelledError of other origin is not converted."""
    with pytest.raises(asyncio.CancelledError), cancel_on_signals(TaskManager()):
        raise asyncio.CancelledError
