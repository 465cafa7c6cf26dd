"""Properties of throttles and rate limits: never exceeded, in order of arrival, released by cancelled waiters."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from small_flows import Bench, task

from taskrun.core.limits import Limiters
from taskrun.errors import RateLimitTimeout, ThrottleTimeout
from taskrun.testing import run_virtual

LONG = 1e9
BRANCHES = 1_000

gaps = st.sampled_from([0.0, 0.0, 0.001, 0.1, 0.5, 1.0, 3.7])
patience = st.one_of(st.none(), st.sampled_from([0.0, 0.05, 0.3, 1.0, 2.5]))


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller that arrives ``gap`` seconds after the previous one and, if set, is cancelled ``leaves`` seconds later."""

    gap: float
    leaves: float | None
    max_wait: float


callers = st.lists(
    st.builds(Caller, gap=gaps, leaves=patience, max_wait=st.sampled_from([0.0, 0.2, 1.5, LONG, LONG, LONG])),
    max_size=40,
)


async def come_and_go(callers: list[Caller], work: Callable[[int, Caller], Awaitable[Any]]) -> None:
    """Run ``work`` for each caller, from its arrival until it is done or cancelled."""
    loop = asyncio.get_running_loop()
    tasks = []
    for number, caller in enumerate(callers):
        await asyncio.sleep(caller.gap)
        one = asyncio.ensure_future(work(number, caller))
        tasks.append(one)
        if caller.leaves is not None:
            loop.call_later(caller.leaves, one.cancel)
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            assert isinstance(outcome, asyncio.CancelledError | RateLimitTimeout | ThrottleTimeout), repr(outcome)


def passages(callers: list[Caller], rate: float) -> tuple[list[tuple[float, int]], Limiters]:
    """Return the time at which each caller passed a rate limit, and the limiters afterwards."""
    passed: list[tuple[float, int]] = []
    limiters = Limiters()

    async def work(number: int, caller: Caller) -> None:
        await limiters.take_token("key", rate, caller.max_wait)
        passed.append((asyncio.get_running_loop().time(), number))

    run_virtual(come_and_go(callers, work))
    return passed, limiters


@given(callers=callers, rate=st.sampled_from([0.3, 1.0, 2.0, 7.5, 100.0]))
@example(
    callers=[Caller(0, None, LONG), Caller(0, 0.4, LONG), Caller(0, None, LONG), Caller(0.5, None, LONG)], rate=1.0
)
def test_a_rate_limit_never_exceeds_its_bucket(callers: list[Caller], rate: float) -> None:
    """In any period at most a full bucket and its refill pass, whichever callers arrive or are cancelled."""
    passed, limiters = passages(callers, rate)
    burst = max(1.0, rate)
    times = [time for time, _ in passed]
    for first, last in itertools.combinations_with_replacement(range(len(times)), 2):
        assert last - first + 1 <= burst + rate * (times[last] - times[first]) + 1e-3
    assert [number for _, number in passed] == sorted(number for _, number in passed), "not in the order of arrival"
    for bucket in limiters._buckets.values():
        assert not bucket._waiting
        assert bucket._timer is None


@given(arrivals=st.lists(gaps, min_size=1, max_size=40), rate=st.sampled_from([0.3, 1.0, 2.0, 7.5]))
def test_a_rate_limit_delays_no_longer_than_its_bucket_requires(arrivals: list[float], rate: float) -> None:
    """A caller that is not cancelled passes exactly when a token bucket has a token for it."""
    passed, _ = passages([Caller(gap, None, LONG) for gap in arrivals], rate)
    size = tokens = max(1.0, rate)
    at = 0.0
    for arrival, (time, _) in zip(itertools.accumulate(arrivals), passed, strict=True):
        now = max(arrival, at)
        tokens = min(size, tokens + (now - at) * rate)
        if tokens < 1 - 1e-6:
            now += (1 - tokens) / rate
            tokens = 1.0
        tokens -= 1
        at = now
        assert abs(time - now) < 1e-3


@dataclass(slots=True)
class Inside:
    """Counts the present users, and the maximum number at the same time."""

    now: int = 0
    most: int = 0
    entered: list[int] = field(default_factory=list)

    async def stay(self, number: int, seconds: float) -> None:
        """Count as a user for a while."""
        self.now += 1
        self.most = max(self.most, self.now)
        self.entered.append(number)
        try:
            await asyncio.sleep(seconds)
        finally:
            self.now -= 1


@given(callers=callers, limit=st.integers(1, 4), stay=st.sampled_from([0.0, 0.1, 1.0, 5.0]))
def test_a_throttle_never_exceeds_its_permits(callers: list[Caller], limit: int, stay: float) -> None:
    """The limit is never exceeded, users are served in the order of arrival, and all permits are released."""
    inside = Inside()
    limiters = Limiters()

    async def work(number: int, caller: Caller) -> None:
        permits = await limiters.acquire("key", limit, caller.max_wait)
        try:
            await inside.stay(number, stay)
        finally:
            limiters.release("key", permits)

    run_virtual(come_and_go(callers, work))
    assert inside.most <= limit
    assert inside.entered == sorted(inside.entered)
    assert limiters.statistics() == {}


@settings(max_examples=8)
@given(
    limit=st.integers(1, 50), durations=st.lists(st.integers(0, 40), min_size=1, max_size=7), fails=st.integers(2, 9)
)
def test_a_throttle_limits_a_thousand_branches(bench: Bench, limit: int, durations: list[int], fails: int) -> None:
    """A thousand branches, some of which fail, never exceed the throttle, and each runs once."""
    inside = Inside()

    async def visit(i: int) -> None:
        await inside.stay(i, durations[i % len(durations)] / 1000)
        if i % fails == 0:
            raise ValueError(i)

    text = task(
        f"""<fork-n name="all" countExpr="{BRANCHES}" indexName="i" joinType="allComplete">
              <steps>
                <simple name="visit" bean="visit"><input name="i"/><throttle maxConcurrency="{limit}" maxWait="1h"/></simple>
              </steps>
              <aggregator>return [result.isSuccess() for result in aggResults.getStepResultBeans()]</aggregator>
            </fork-n>"""
    )
    ran = bench.run(text, beans={"visit": visit})
    assert ran.result == [i % fails != 0 for i in range(BRANCHES)]
    assert inside.most == limit
    assert sorted(inside.entered) == list(range(BRANCHES))


@settings(max_examples=8)
@given(rate=st.integers(20, 400), count=st.integers(1, 300))
def test_a_rate_limit_limits_many_branches(bench: Bench, rate: int, count: int) -> None:
    """Of branches that start together, the tokens of one second pass at once, then one branch after the other."""
    times: list[float] = []

    async def visit() -> None:
        times.append(asyncio.get_running_loop().time())

    text = task(
        f"""<fork-n name="all" countExpr="{count}" indexName="i">
              <steps><simple name="visit" bean="visit"><rate-limit requestPerSecond="{rate}" maxWait="1h"/></simple></steps>
            </fork-n>"""
    )
    assert bench.run(text, beans={"visit": visit}).error is None
    expected = [max(0.0, (number + 1 - rate) / rate) for number in range(count)]
    assert all(abs(time - wanted) < 1e-3 for time, wanted in zip(times, expected, strict=True))
