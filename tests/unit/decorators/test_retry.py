"""Tests of retry: number of attempts, delays, the history of attempts, and failures that are not retried."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_flows import Bench, task

from taskrun.core.duration import Millis
from taskrun.core.events import StepRetried
from taskrun.decorators.retry import Retry
from taskrun.errors import StepTimeout
from taskrun.syntax.load import parse

NODE = parse("f", b"<retry/>")


def delay(attempt: int, random: float = 0.5, **settings: Any) -> float:
    """Return the delay after an attempt in seconds; settings with "delay" in their names are in seconds too."""
    settings = {
        name: Millis(float(value)) if "delay" in name and not isinstance(value, bool) else value
        for name, value in settings.items()
    }
    frame: Any = SimpleNamespace(run=SimpleNamespace(services=SimpleNamespace(random=lambda: random)))
    return Retry(node=NODE, **settings).delay(frame, attempt)


def test_delays_double() -> None:
    """The delays double, from twice the first up to the maximum, which is the first by default."""
    assert [delay(n, retry_delay=1, max_retry_delay=10) for n in (1, 2, 3, 4)] == [2, 4, 8, 10]
    assert [delay(n, retry_delay=3) for n in (1, 2)] == [3, 3]


def test_delays_grow_by_the_first() -> None:
    """Without exponentialDelay the delays grow by the first delay."""
    assert [delay(n, retry_delay=1, max_retry_delay=3, exponential_delay=False) for n in (1, 2, 3, 4)] == [1, 2, 3, 3]


@given(
    attempt=st.integers(1, 10**9),
    first=st.floats(0.001, 1e6),
    longest=st.floats(0, 1e9),
    random=st.floats(0, 1),
    doubling=st.booleans(),
)
def test_delays_stay_in_their_bounds(attempt: int, first: float, longest: float, random: float, doubling: bool) -> None:
    """Every delay is at most the maximum plus 30 % and at least 70 % of the first delay."""
    found = delay(attempt, random, retry_delay=first, max_retry_delay=longest, exponential_delay=doubling)
    assert 0.7 * first * 0.999 <= found <= 1.3 * max(first, longest) * 1.001


def test_no_delay_is_no_delay() -> None:
    """Without retryDelay there is no delay after any attempt."""
    assert delay(5, max_retry_delay=10) == 0


def flaky(
    bench: Bench, attributes: str, *, fails: int, inside: str = "", error: Exception | None = None
) -> tuple[Any, int]:
    """Run a step whose first attempts fail; return how it ended and how many attempts it made."""
    calls: list[int] = []

    async def work() -> int:
        calls.append(1)
        if len(calls) <= fails:
            raise error or LookupError(len(calls))
        return len(calls)

    body = f'<simple name="s" bean="work"><retry {attributes}>{inside}</retry></simple>'
    return bench.run(task(body), beans={"work": work}), len(calls)


@pytest.mark.parametrize(("count", "fails", "calls"), [(0, 5, 1), (2, 1, 2), (2, 2, 3), (2, 3, 3), (-1, 30, 31)])
def test_number_of_attempts(bench: Bench, count: int, fails: int, calls: int) -> None:
    """``maxRetryCount`` attempts follow the first; below 0 there is no limit; the last failure is that of the step."""
    ran, called = flaky(bench, f'maxRetryCount="{count}"', fails=fails)
    assert called == calls
    if fails < calls:
        assert ran.result == calls
    else:
        assert ran.cause.args == (calls,)


class Fatal(Exception):
    """An error that must not be retried."""

    biz_fatal = True


@pytest.mark.parametrize("error", [Fatal(), MemoryError(), RecursionError()], ids=["fatal", "memory", "recursion"])
def test_failures_that_are_not_retried(bench: Bench, error: Exception) -> None:
    """Fatal errors are not retried unless a filter allows it."""
    assert flaky(bench, 'maxRetryCount="5"', fails=2, error=error)[1] == 1
    with_filter = "<exception-filter>True</exception-filter>"
    assert flaky(bench, 'maxRetryCount="5"', fails=2, error=error, inside=with_filter)[1] == 3


def test_a_filter_decides(bench: Bench) -> None:
    """The filter reads the exception; when it raises, that is the failure of the step."""
    decide = "<exception-filter>return exception.args[0] &lt; 2</exception-filter>"
    assert flaky(bench, 'maxRetryCount="5"', fails=9, inside=decide)[1] == 2
    ran, called = flaky(bench, 'maxRetryCount="5"', fails=9, inside="<exception-filter>1 / 0</exception-filter>")
    assert isinstance(ran.cause, ZeroDivisionError)
    assert called == 1


def test_values_instead_of_a_number(bench: Bench) -> None:
    """There are as many attempts as values; each value is a variable of its attempt."""
    body = """<step name="s"><retry itemsExpr="('a', 'b', 'c')" varName="v"/>
      <source>if v != 'c': raise ValueError(v)
return [v, attempt, [(h['value'], h['failure'].description) for h in history]]</source></step>"""
    assert bench.run(task(body)).result == ["c", 3, [("a", "a"), ("b", "b")]]
    ran = bench.run(task('<step name="s"><retry itemsExpr="[1, 2]"/><source>1/0</source></step>'))
    assert isinstance(ran.cause, ZeroDivisionError)
    for nothing in ("[]", "None"):
        ran = bench.run(task(f'<step name="s"><retry itemsExpr="{nothing}"/><source>1</source></step>'))
        assert str(ran.cause) == "itemsExpr of <retry> gave no values: there is nothing to attempt"


def test_each_attempt_begins_with_the_same_variables(bench: Bench) -> None:
    """Variables that a failed attempt assigned or exported are removed before the next one."""
    body = """<sequential name="s"><input name="x" value="${1}"/><retry maxRetryCount="1"/><steps>
        <step name="a" useParentScope="true"><source>RESULT, x, seen</source><catch>return 'fresh'</catch>
          <output name="x" value="2"/><output name="seen" value="3"/></step>
        <step name="b"><input name="RESULT"/><source>report(RESULT)
fail()</source></step>
      </steps></sequential>"""
    reported: list[Any] = []

    def fail() -> None:
        if len(reported) < 2:
            raise OSError

    assert bench.run(task(body), functions={"report": reported.append, "fail": fail}).error is None
    assert reported == ["fresh", "fresh"]


def test_an_attempt_has_its_own_timeout(bench: Bench) -> None:
    """An attempt that takes longer than attemptTimeout fails with StepTimeout, which is retried."""
    body = '<delay name="d" delayMillisExpr="1h"><retry maxRetryCount="2" retryDelay="1s" attemptTimeout="3s"/></delay>'
    ran = bench.run(task(body), watch=True)
    assert isinstance(ran.cause, StepTimeout)
    assert str(ran.cause) == "not done within attemptTimeout=3000 ms"
    waited = [event.delay for event in ran.events if isinstance(event, StepRetried)]
    assert all(0.7 <= seconds <= 1.3 for seconds in waited)
    assert ran.elapsed == pytest.approx(9_000 + sum(waited) * 1000)


def test_endless_attempts_can_be_cancelled(bench: Bench) -> None:
    """Attempts without a delay yield to the event loop, so that they can be cancelled."""
    body = '<sequential name="s"><retry maxRetryCount="-1"/><steps><step name="a"><source>note()</source></step></steps></sequential>'
    count = 0

    def note() -> None:
        nonlocal count
        count += 1
        raise OSError

    ran = bench.run(
        task(
            f'<parallel name="p" joinType="anySuccess"><steps>{body}<delay name="d" delayMillisExpr="0"/></steps></parallel>'
        ),
        functions={"note": note},
    )
    assert ran.error is None
    assert count
