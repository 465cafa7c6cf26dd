"""Throttles and rate limits: order of waiters, error messages, and removal of unused keys."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from taskrun.core import limits
from taskrun.core.limits import Limiters
from taskrun.errors import RateLimitTimeout, ThrottleTimeout
from taskrun.testing import run_virtual


def test_the_first_user_of_a_key_sets_its_limit() -> None:
    """The limit is fixed while the key is in use; then the key is removed."""

    async def main() -> None:
        limiters = Limiters()
        first = await limiters.acquire("k", 2, 0)
        second = await limiters.acquire("k", 9, 0)
        assert first is second
        assert limiters.statistics() == {"k": {"limit": 2, "held": 2, "waiting": 0}}
        limiters.release("k", first)
        limiters.release("k", second)
        assert limiters.statistics() == {}
        assert (await limiters.acquire("k", 9, 0)).limit == 9

    run_virtual(main())


def test_a_wait_for_a_permit_ends_after_max_wait() -> None:
    """ThrottleTimeout has key, time and limit; the waiter is removed from the queue."""

    async def main() -> None:
        limiters = Limiters()
        permits = await limiters.acquire("k", 1, 0)
        with pytest.raises(
            ThrottleTimeout, match=r"no permit of 'k' became free within 500 ms: its limit is 1; increase maxWait"
        ):
            await limiters.acquire("k", 1, 0.5)
        assert asyncio.get_running_loop().time() == 0.5
        limiters.release("k", permits)
        assert limiters.statistics() == {}

    run_virtual(main())


async def waiting(limiters: Limiters, entered: list[str], name: str, stay: float = 1) -> None:
    """Acquire a permit, add the name to ``entered``, wait ``stay`` seconds and release the permit."""
    permits = await limiters.acquire("k", 1, 100)
    entered.append(name)
    try:
        await asyncio.sleep(stay)
    finally:
        limiters.release("k", permits)


@pytest.mark.parametrize("cancel_first", [False, True])
def test_a_waiter_cancelled_at_the_moment_of_a_release(cancel_first: bool) -> None:
    """The next waiter gets the permit, whether the cancellation or the release comes first."""

    async def main() -> None:
        limiters, entered = Limiters(), list[str]()
        permits = await limiters.acquire("k", 1, 0)
        a, b = (asyncio.ensure_future(waiting(limiters, entered, name)) for name in "ab")
        await asyncio.sleep(0)
        if cancel_first:
            a.cancel()
        limiters.release("k", permits)
        if not cancel_first:
            a.cancel()
        outcome = await asyncio.gather(a, b, return_exceptions=True)
        assert isinstance(outcome[0], asyncio.CancelledError)
        assert entered == ["b"]
        assert limiters.statistics() == {}

    run_virtual(main())


def test_the_waiters_behind_a_cancelled_one_move_up() -> None:

    async def main() -> None:
        limiters, entered = Limiters(), list[str]()
        tasks = [asyncio.ensure_future(waiting(limiters, entered, name)) for name in "abcd"]
        await asyncio.sleep(0.5)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert entered == ["a", "c", "d"]
        assert asyncio.get_running_loop().time() == 3

    run_virtual(main())


def test_a_rate_limit_raises_at_once_if_the_wait_would_be_too_long() -> None:
    """The refused call takes no token."""

    async def main() -> None:
        limiters = Limiters()
        await limiters.take_token("k", 1, 0)
        with pytest.raises(
            RateLimitTimeout,
            match=r"'k' is limited to 1 per second: the wait would be 1000 ms, more than maxWait=900 ms",
        ):
            await limiters.take_token("k", 1, 0.9)
        await limiters.take_token("k", 1, 1)
        assert asyncio.get_running_loop().time() == 1
        assert limiters.statistics() == {"k": {"rate": 1}}

    run_virtual(main())


def test_the_token_of_a_cancelled_waiter_goes_to_the_next() -> None:
    """Also if it is cancelled in the same step of the event loop in which it gets the token."""

    async def main() -> None:
        limiters = Limiters()
        loop = asyncio.get_running_loop()
        await limiters.take_token("k", 1, 0)
        a = asyncio.ensure_future(limiters.take_token("k", 1, 100))
        b = asyncio.ensure_future(limiters.take_token("k", 1, 100))
        await asyncio.sleep(0)
        limiters._buckets["k"]._at -= 1  # a second has passed
        limiters._buckets["k"]._serve()
        a.cancel()
        await asyncio.gather(a, b, return_exceptions=True)
        assert a.cancelled()
        assert loop.time() == 0
        assert limiters._buckets["k"]._timer is None

    run_virtual(main())


def test_a_token_is_not_assigned_to_a_cancelled_waiter() -> None:
    """The next waiter gets it, before the task of the cancelled one has run."""

    async def main() -> None:
        limiters = Limiters()
        await limiters.take_token("k", 1, 0)
        a, b = (asyncio.ensure_future(limiters.take_token("k", 1, 100)) for _ in range(2))
        await asyncio.sleep(0)
        a.cancel()
        limiters._buckets["k"]._at -= 1  # a second has passed
        limiters._buckets["k"]._serve()
        await asyncio.gather(a, b, return_exceptions=True)
        assert (a.cancelled(), b.exception()) == (True, None)
        assert asyncio.get_running_loop().time() == 0

    run_virtual(main())


def test_full_buckets_are_removed_beyond_the_maximum(monkeypatch: pytest.MonkeyPatch) -> None:
    """Buckets that are not full remain."""
    monkeypatch.setattr(limits, "MAX_BUCKETS", 3)

    async def main() -> list[str]:
        limiters = Limiters()
        for key in "abc":
            await limiters.take_token(key, 1, 0)
        await limiters.take_token("d", 1, 0)
        assert len(limiters._buckets) == 4
        await asyncio.sleep(1)
        await limiters.take_token("a", 1, 0)
        late = asyncio.ensure_future(limiters.take_token("b", 1, 100))
        late_too = asyncio.ensure_future(limiters.take_token("b", 1, 100))
        await asyncio.sleep(0)
        await limiters.take_token("e", 1, 0)
        remaining = sorted(limiters._buckets)
        await asyncio.gather(late, late_too)
        return remaining

    assert run_virtual(main())[0] == ["a", "b", "e"]


def test_another_event_loop_takes_no_tokens_away() -> None:
    """Limiters of a TaskManager outlive event loops, and the clock of the next loop may be behind."""
    limiters = Limiters()

    async def later() -> None:
        await asyncio.sleep(1000)
        await limiters.take_token("k", 2, 0)

    async def anew() -> Any:
        await limiters.take_token("k", 2, 0)

    run_virtual(later())
    assert run_virtual(anew()) == (None, 0)
