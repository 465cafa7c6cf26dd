"""Throttles and rate limits: who gets in when, what is said to those who do not, and what is kept."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from taskrun.core import limits
from taskrun.core.limits import Limiters
from taskrun.errors import RateLimitTimeout, ThrottleTimeout
from taskrun.testing import run_virtual


def test_settings_are_those_of_who_comes_first() -> None:
    """While a key is in use its limit is fixed; once nobody uses it any more it is forgotten."""

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


def test_who_waits_too_long_is_told_so() -> None:
    """After ``max_wait`` the wait is over, with a message that says key, time and limit; the place is given up."""

    async def main() -> None:
        limiters = Limiters()
        held = await limiters.acquire("k", 1, 0)
        with pytest.raises(
            ThrottleTimeout, match=r"no permit of 'k' became free within 500 ms: its limit is 1; increase maxWait"
        ):
            await limiters.acquire("k", 1, 0.5)
        assert asyncio.get_running_loop().time() == 0.5
        limiters.release("k", held)
        assert limiters.statistics() == {}

    run_virtual(main())


async def waiting(limiters: Limiters, entered: list[str], name: str, stay: float = 1) -> None:
    """Wait for a permit, note the name, stay, give the permit back."""
    permits = await limiters.acquire("k", 1, 100)
    entered.append(name)
    try:
        await asyncio.sleep(stay)
    finally:
        limiters.release("k", permits)


@pytest.mark.parametrize("cancel_first", [False, True])
def test_a_waiter_cancelled_at_the_moment_of_a_release(cancel_first: bool) -> None:
    """Whether its cancellation or its turn comes first, in one step of the loop: the next one gets the permit."""

    async def main() -> None:
        limiters, entered = Limiters(), list[str]()
        held = await limiters.acquire("k", 1, 0)
        a, b = (asyncio.ensure_future(waiting(limiters, entered, name)) for name in "ab")
        await asyncio.sleep(0)
        if cancel_first:
            a.cancel()
        limiters.release("k", held)
        if not cancel_first:
            a.cancel()
        outcome = await asyncio.gather(a, b, return_exceptions=True)
        assert isinstance(outcome[0], asyncio.CancelledError)
        assert entered == ["b"]
        assert limiters.statistics() == {}

    run_virtual(main())


def test_who_leaves_a_queue_keeps_nobody_waiting() -> None:
    """Those behind move up."""

    async def main() -> None:
        limiters, entered = Limiters(), list[str]()
        tasks = [asyncio.ensure_future(waiting(limiters, entered, name)) for name in "abcd"]
        await asyncio.sleep(0.5)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert entered == ["a", "c", "d"]
        assert asyncio.get_running_loop().time() == 3

    run_virtual(main())


def test_a_rate_limit_refuses_at_once() -> None:
    """A wait that would be too long is not begun, and takes no token from those who come later."""

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


def test_a_token_that_came_for_who_leaves_goes_to_the_next() -> None:
    """Cancelled in the very step in which its turn came, a waiter passes the token on."""

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


def test_only_so_many_buckets_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit those that are full again are forgotten, and only those."""
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
        kept = sorted(limiters._buckets)
        await asyncio.gather(late, late_too)
        return kept

    assert run_virtual(main())[0] == ["a", "b", "e"]


def test_a_clock_that_begins_anew_takes_no_tokens_away() -> None:
    """Limits of a TaskManager outlive event loops, and another loop's clock may be behind."""
    limiters = Limiters()

    async def later() -> None:
        await asyncio.sleep(1000)
        await limiters.take_token("k", 2, 0)

    async def anew() -> Any:
        await limiters.take_token("k", 2, 0)

    run_virtual(later())
    run_virtual(anew())
