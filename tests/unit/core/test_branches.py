"""Branches: run in place or as tasks, outcomes in the order of the ends, no branch outlives the block."""

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
    """Return a branch that ends after ``seconds``: it returns ``result``, or raises it if it is an exception."""

    async def run() -> Completion:
        if seconds:
            await asyncio.sleep(seconds)
        if isinstance(result, BaseException):
            raise result
        return Completion({"RESULT": result})

    return run


async def outcomes(*works: tuple[str, Work, bool]) -> list[object]:
    """Run branches and return key and result of each in the order of their ends."""
    ended: list[object] = []
    async with Branches() as branches:
        for key, work, may_suspend in works:
            await branches.start(key, work, may_suspend)
        while branches.unfinished:
            key_, outcome = await branches.next()
            ended.append((key_, outcome.result if isinstance(outcome, Completion) else outcome))
    return ended


def test_outcomes_come_in_the_order_of_the_ends() -> None:
    """The fastest branch is returned first, also if it was started later."""
    done, elapsed = run_virtual(outcomes(("a", after(3, 1), True), ("b", after(1, 2), True), ("c", after(2, 3), True)))
    assert done == [("b", 2), ("c", 3), ("a", 1)]
    assert elapsed == 3_000


def test_a_branch_that_cannot_suspend_is_run_by_start() -> None:
    """It has ended when ``start`` returns, and no task was created."""

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
    """``next`` returns the exception that a branch raised."""
    error = ValueError("no")
    done, _ = run_virtual(outcomes(("a", after(0, error), may_suspend)))
    assert done == [("a", error)]


def test_a_branch_that_cancels_itself_has_failed() -> None:
    """A CancelledError that the branch raises itself does not cancel the container."""
    done, _ = run_virtual(outcomes(("a", after(1, asyncio.CancelledError()), True)))
    assert "raised CancelledError although its run is not cancelled" in str(done[0][1])  # type: ignore[index]


def test_a_base_exception_becomes_a_run_error() -> None:
    """Its ``__cause__`` is the BaseException that the branch raised."""

    class Odd(BaseException):
        """A BaseException that is neither an Exception nor known to asyncio."""

    done, _ = run_virtual(outcomes(("a", after(0, Odd("odd")), True)))
    error = done[0][1]  # type: ignore[index]
    assert isinstance(error, RunError)
    assert isinstance(error.__cause__, Odd)


@pytest.mark.parametrize("failure", [None, KeyError("x")], ids=["left", "failed"])
def test_the_end_of_the_block_cancels_unfinished_branches(failure: Exception | None) -> None:
    """All branches have ended after the block, also if one raises while it is cancelled."""
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
    """No coroutine is created for it, so that none is never awaited (that warning would fail this test)."""
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
def test_the_block_waits_for_its_branches_although_it_is_cancelled(times: int) -> None:
    """CancelledError is raised only when all branches have ended."""
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
