"""Branches: in place or as a Task, outcomes in the order of their ends, and nothing outlives the block."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from taskrun.core.branches import Branches
from taskrun.core.completion import Completion
from taskrun.errors import RunError
from taskrun.testing import run_virtual

Work = Callable[[], Awaitable[Completion]]


def after(seconds: float, result: object) -> Work:
    """Return a branch that takes so long and gives a value, or raises it when it is an exception."""

    async def run() -> Completion:
        if seconds:
            await asyncio.sleep(seconds)
        if isinstance(result, BaseException):
            raise result
        return Completion({"RESULT": result})

    return run


async def outcomes(*works: tuple[str, Work, bool]) -> list[object]:
    """Run branches and return ``key result`` for each in the order of their ends."""
    ended: list[object] = []
    async with Branches() as branches:
        for key, work, may_suspend in works:
            await branches.start(key, work, may_suspend)
        while branches.unfinished:
            key_, outcome = await branches.next()
            ended.append((key_, outcome.result if isinstance(outcome, Completion) else outcome))
    return ended


def test_outcomes_come_in_the_order_of_the_ends() -> None:
    """The quickest branch comes first, whenever it was started."""
    done, elapsed = run_virtual(outcomes(("a", after(3, 1), True), ("b", after(1, 2), True), ("c", after(2, 3), True)))
    assert done == [("b", 2), ("c", 3), ("a", 1)]
    assert elapsed == 3_000


def test_what_cannot_suspend_is_run_in_place() -> None:
    """A branch that cannot suspend has ended when its start returns, and needs no Task."""

    async def main() -> None:
        async with Branches() as branches:
            await branches.start("a", after(0, 1), False)
            assert branches.ended
            assert len(asyncio.all_tasks()) == 1
            await branches.start("b", after(1, 2), True)
            assert [(await branches.next())[0] for _ in range(2)] == ["a", "b"]
            assert not branches.unfinished

    run_virtual(main())


@pytest.mark.parametrize("may_suspend", [False, True])
def test_an_exception_is_an_outcome(may_suspend: bool) -> None:
    """What a branch raises is handed over as it is."""
    error = ValueError("no")
    done, _ = run_virtual(outcomes(("a", after(0, error), may_suspend)))
    assert done == [("a", error)]


def test_a_branch_that_cancels_itself_has_failed() -> None:
    """A cancellation that nobody asked for does not cancel the owner."""
    done, _ = run_virtual(outcomes(("a", after(1, asyncio.CancelledError()), True)))
    assert "raised CancelledError although its run is not cancelled" in str(done[0][1])  # type: ignore[index]


def test_what_is_no_exception_becomes_one() -> None:
    """A BaseException of a branch reaches the owner as a failure, with itself as the cause."""

    class Odd(BaseException):
        """Neither an Exception nor one that asyncio cares for."""

    done, _ = run_virtual(outcomes(("a", after(0, Odd("odd")), True)))
    error = done[0][1]  # type: ignore[index]
    assert isinstance(error, RunError)
    assert isinstance(error.__cause__, Odd)


@pytest.mark.parametrize("failure", [None, KeyError("x")], ids=["left", "failed"])
def test_leaving_the_block_cancels_what_is_unfinished(failure: Exception | None) -> None:
    """The branches are over, also those that fail at their end, when the block is left in whatever way."""
    ended: list[str] = []

    async def stays() -> Completion:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(1)
            ended.append("stays")
        return Completion()

    async def breaks() -> Completion:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            ended.append("breaks")
            raise ValueError from None
        return Completion()

    async def main() -> None:
        async with Branches() as branches:
            await branches.start("a", stays, True)
            await branches.start("b", breaks, True)
            await branches.start("c", after(0, 1), True)
            await branches.next()
            if failure:
                raise failure

    if failure:
        with pytest.raises(KeyError):
            run_virtual(main())
    else:
        run_virtual(main())
    assert ended == ["breaks", "stays"]


def test_a_branch_cancelled_before_its_first_step_never_starts() -> None:
    """Nothing is made for a branch that is cancelled at once, so nothing is left over (a warning would fail this)."""
    started: list[str] = []

    async def begin() -> Completion:
        started.append("a")
        return Completion()

    async def main() -> None:
        async with Branches() as branches:
            await branches.start("a", begin, True)

    run_virtual(main())
    assert started == []


@pytest.mark.parametrize("times", [1, 2, 5])
def test_the_block_waits_however_often_it_is_cancelled(times: int) -> None:
    """A block that is cancelled while it waits for its branches goes on waiting and is cancelled afterwards."""
    ended: list[str] = []

    async def stubborn() -> Completion:
        for _ in range(10):
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                continue
        ended.append("stubborn")
        return Completion()

    async def owner() -> None:
        async with Branches() as branches:
            await branches.start("a", stubborn, True)
            await branches.next()

    async def main() -> None:
        task = asyncio.ensure_future(owner())
        await asyncio.sleep(0.5)
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended == ["stubborn"]
        assert len(asyncio.all_tasks()) == 1

    run_virtual(main())
