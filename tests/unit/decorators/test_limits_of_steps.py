"""Tests of timeout, throttle and rate-limit on steps: what they count, per run or for all, and their messages."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from small_flows import Bench, task

from taskrun import TaskManager
from taskrun.errors import RateLimitTimeout, StepTimeout, ThrottleTimeout
from taskrun.testing import run_virtual


@pytest.mark.parametrize(
    "setting", ['timeout="0"', 'timeout="${0}"', 'timeout="${None}"', 'timeout="2s"', 'timeout="${1500}"']
)
def test_a_timeout_that_is_long_enough(bench: Bench, setting: str) -> None:
    """A step that ends in time succeeds; 0 and null are no limit."""
    ran = bench.run(task(f'<delay name="d" delayMillisExpr="1s" {setting}/>'))
    assert ran.error is None
    assert ran.elapsed == 1_000


@pytest.mark.parametrize("setting", ['timeout="250"', 'timeout="${n / 4}"', "timeout=\"${'0.25s'}\""])
def test_a_timeout_that_is_too_short(bench: Bench, setting: str) -> None:
    """A step that takes too long fails at that moment with StepTimeout, which is a TimeoutError."""
    ran = bench.run(task(f'<delay name="d" delayMillisExpr="1s" {setting}/>'), {"n": 1000})
    assert isinstance(ran.cause, StepTimeout)
    assert isinstance(ran.cause, TimeoutError)
    assert str(ran.cause) == "not done within timeout=250 ms"
    assert ran.elapsed == 250


def test_a_timeout_error_of_the_body_is_no_step_timeout(bench: Bench) -> None:
    """A TimeoutError that the body raises itself is not changed into a StepTimeout."""

    async def late() -> None:
        raise TimeoutError("mine")

    ran = bench.run(task('<simple name="a" bean="late" timeout="1s"/>'), beans={"late": late})
    assert type(ran.cause) is TimeoutError
    assert str(ran.cause) == "mine"


@pytest.mark.parametrize(("inner", "outer", "limit"), [("1s", "2s", 1000), ("2s", "1s", 1000)])
def test_timeouts_within_timeouts(bench: Bench, inner: str, outer: str, limit: float) -> None:
    """Of two nested timeouts, the shorter one ends the step and is named in the message."""
    body = f"""<sequential name="s" timeout="{outer}"><steps><delay name="d" delayMillisExpr="1h" timeout="{inner}"/></steps>
        </sequential>"""
    ran = bench.run(task(body))
    assert str(ran.cause) == f"not done within timeout={limit:g} ms"
    assert ran.elapsed == limit
    assert ran.notes == (["main/s/d", "main/s"] if inner == "1s" else ["main/s"])


def test_a_step_that_swallows_its_cancellation(bench: Bench) -> None:
    """A step that ignores its cancellation succeeds with its result."""

    async def stubborn() -> str:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            return "done anyway"
        return "never"

    ran = bench.run(task('<simple name="a" bean="stubborn" timeout="1s"/>'), beans={"stubborn": stubborn})
    assert ran.result == "done anyway"


class Visits:
    """A bean whose calls take a second, and that counts concurrent calls."""

    def __init__(self) -> None:
        self.now = self.most = 0

    async def __call__(self) -> None:
        """Sleep for a second and count the concurrent calls."""
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(1)
        finally:
            self.now -= 1


def most(
    bench: Bench, throttle: str, *, runs: int = 1, body: str = '<simple name="v" bean="visit">{}</simple>'
) -> tuple[int, float]:
    """Return how many calls ran at once in six branches of each run, and how long all runs took."""
    visit = Visits()
    text = task(f'<fork-n name="f" countExpr="6" indexName="i"><steps>{body.format(throttle)}</steps></fork-n>')

    async def main() -> None:
        manager = TaskManager(beans={"visit": visit})
        path = bench.write(text)
        await asyncio.gather(*(manager.run_async(path) for _ in range(runs)))

    _, elapsed = run_virtual(main())
    return visit.most, elapsed


@pytest.mark.parametrize(
    ("throttle", "runs", "expected"),
    [
        ('<throttle maxConcurrency="2" maxWait="1h"/>', 1, (2, 3_000)),
        ('<throttle maxConcurrency="2" maxWait="1h"/>', 2, (4, 3_000)),
        ('<throttle maxConcurrency="2" maxWait="1h" global="true"/>', 2, (2, 6_000)),
        ('<throttle maxConcurrency="1" maxWait="1h" keyExpr="i % 3"/>', 1, (3, 2_000)),
        ('<throttle maxConcurrency="2" maxWait="1h" keyExpr="None"/>', 1, (2, 3_000)),
        ('<throttle maxConcurrency="1" maxWait="1h" keyExpr="\'k\'" global="true"/>', 2, (1, 12_000)),
    ],
)
def test_scope_of_a_throttle(bench: Bench, throttle: str, runs: int, expected: tuple[int, float]) -> None:
    """A throttle counts all branches of a step in its run or in all runs, or per value of an expression."""
    visit = '<simple name="v" bean="visit">{}</simple>'
    if "keyExpr" in throttle:
        visit = '<sequential name="v"><input name="i"/>{}<steps><simple name="x" bean="visit"/></steps></sequential>'
    assert most(bench, throttle, runs=runs, body=visit) == expected


def test_steps_with_the_same_key_share_permits(bench: Bench) -> None:
    """Steps with the same key share the permits; without a key each step has its own."""
    two = '<parallel name="p"><steps><simple name="a" bean="visit">{0}</simple><simple name="b" bean="visit">{0}</simple></steps></parallel>'
    own = '<throttle maxConcurrency="1" maxWait="1h"/>'
    shared = '<throttle maxConcurrency="1" maxWait="1h" keyExpr="\'k\'"/>'
    assert most(bench, own, body=two) == (2, 6_000)
    assert most(bench, shared, body=two) == (1, 12_000)


def test_a_called_task_has_limits_of_its_own(bench: Bench) -> None:
    """Each call of a task is a run with limiters of its own."""
    bench.write(
        task('<simple name="v" bean="visit"><throttle maxConcurrency="1" maxWait="1h"/></simple>'),
        "limits_called.task.xml",
    )
    assert most(bench, "", body='<call-task name="c" taskModelPath="limits_called.task.xml"/>{}') == (6, 1_000)


def test_throttle_timeout(bench: Bench) -> None:
    """A step that waits too long for a permit fails, and the message names the step."""
    body = """<fork-n name="f" countExpr="2"><steps><delay name="d" delayMillisExpr="5s">
      <throttle maxConcurrency="1" maxWait="${3 * 1000}"/></delay></steps></fork-n>"""
    ran = bench.run(task(body))
    assert isinstance(ran.cause, ThrottleTimeout)
    assert str(ran.cause) == (
        "no permit of 'main/f/d' became free within 3000 ms: its limit is 1; increase maxWait or maxConcurrency"
    )


def test_a_failed_step_releases_its_permit(bench: Bench) -> None:
    """A failed step releases its permit."""
    body = """<loop name="l" itemsExpr="range(3)"><steps><step name="a" allowFailure="true"><source>1/0</source>
      <throttle maxConcurrency="1" maxWait="0"/></step></steps></loop><step name="ok"><source>'ok'</source></step>"""
    assert bench.run(task(body)).result == "ok"


RATE = (
    '<loop name="l" itemsExpr="range(4)"><steps><simple name="v" bean="note"><rate-limit {}/></simple></steps></loop>'
)


def passes(bench: Bench, settings: str, **inputs: Any) -> tuple[list[float], BaseException | None]:
    """Return the times, in seconds, at which a step in a loop passed its rate limit."""
    times: list[float] = []

    async def note() -> None:
        times.append(asyncio.get_running_loop().time())

    ran = bench.run(task(RATE.format(settings)), inputs, beans={"note": note})
    return times, ran.error and ran.cause


@pytest.mark.parametrize(
    ("settings", "times"),
    [
        ('requestPerSecond="2" maxWait="1h"', [0, 0, 0.5, 1]),
        ('requestPerSecond="${rate}" maxWait="1h"', [0, 0, 0.5, 1]),
        ('requestPerSecond="0.5" maxWait="1h"', [0, 2, 4, 6]),
        ('requestPerSecond="100" maxWait="0"', [0, 0, 0, 0]),
    ],
)
def test_rate_of_starts(bench: Bench, settings: str, times: list[float]) -> None:
    """The tokens of one second pass at once, then one after the other."""
    found, error = passes(bench, settings, rate=2)
    assert error is None
    assert found == pytest.approx(times)


def test_rate_limit_timeout(bench: Bench) -> None:
    """A step that would have to wait too long for a token fails at once."""
    times, error = passes(bench, 'requestPerSecond="0.5" maxWait="1s"')
    assert times == [0]
    assert isinstance(error, RateLimitTimeout)
    assert str(error) == (
        "'main/l/v' is limited to 0.5 per second: the wait would be 2000 ms, more than maxWait=1000 ms; "
        "increase maxWait or requestPerSecond"
    )


@pytest.mark.parametrize("rate", ["${0}", "${-1}", "${0.0}"])
def test_a_rate_of_zero_or_less(bench: Bench, rate: str) -> None:
    """A rate of 0 or less makes the step fail."""
    _, error = passes(bench, f'requestPerSecond="{rate}" maxWait="1s"')
    assert "a number above 0 is expected" in str(error)
