"""Tests of ``<decorator>``: how a bean is found and called, and the named decorators with their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from small_flows import Bench, task

from taskrun import Completion
from taskrun.core.frame import Frame
from taskrun.core.step import Inner
from taskrun.decorators.named_decorators import NAMED_DECORATORS, named_decorator
from taskrun.decorators.rate_limit import RateLimit
from taskrun.decorators.retry import Retry
from taskrun.decorators.timeout import Timeout
from taskrun.errors import PluginError, RateLimitTimeout, StepTimeout
from taskrun.syntax.load import parse

NODE = parse("f", b"<decorator/>")


class Audit:
    """A decorator as an object with parameters."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.level = "none"

    def decorate(self, parameters: Mapping[str, str]) -> Audit:
        """Store the parameters."""
        self.level = parameters.get("level", "default")
        return self

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Log the start and the result of the step."""
        self.log.append(f"{self.level} {frame.path}")
        done = await inner(frame)
        self.log.append(f"{done.result}")
        return done


async def twice(frame: Frame, inner: Inner) -> Completion:
    """Run the body two times; a decorator as a function."""
    first = await inner(frame)
    second = await inner(frame)
    return Completion({"RESULT": [first.result, second.result]})


STEP = '<step name="a"><source>5</source>{}</step>'


def decorated(bench: Bench, decorator: str, **beans: Any) -> Any:
    """Run a step with a decorator and return how it ended."""
    return bench.run(task(STEP.format(decorator)), beans=beans)


def test_a_bean_with_parameters(bench: Bench) -> None:
    """Prefixed attributes are passed to ``decorate``, then ``around`` is called."""
    audit = Audit()
    text = '<decorator name="x" bean="audit" my:level="full" xmlns:my="my"/>'
    assert decorated(bench, text, audit=audit).result == 5
    assert audit.log == ["full main/a", "5"]


@pytest.mark.parametrize(
    "text",
    [
        '<decorator name="x" bean="mine"/>',
        '<decorator name="own"/>',
        '<decorator name="x"><source>inject("mine")</source></decorator>',
    ],
    ids=["bean", "name", "source"],
)
def test_sources_of_a_decorator(bench: Bench, text: str) -> None:
    """A decorator is found by its bean, by its name, or as the value of a script."""
    assert decorated(bench, text, mine=twice, taskStepDecorator_own=twice).result == [5, 5]


def test_the_script_can_read_its_step_and_parameters(bench: Bench) -> None:
    """The script can read the name of the step and the parameters."""
    seen: list[Any] = []

    def choose(*what: Any) -> Any:
        seen.extend(what)
        return twice

    text = '<decorator name="x" p:q="1" xmlns:p="p"><source>choose(step, decoratorModel)</source></decorator>'
    ran = bench.run(task(STEP.format(text)), functions={"choose": choose})
    assert ran.result == [5, 5]
    assert seen == ["a", {"q": "1"}]


def test_a_bean_that_is_not_a_decorator(bench: Bench) -> None:
    """A bean that is not a decorator makes the step fail, and the message says what it is."""
    ran = decorated(bench, '<decorator name="x" bean="mine"/>', mine=7)
    assert isinstance(ran.cause, PluginError)
    assert str(ran.cause) == "decorator 'x' is a int: it has no around() and is not a function"


def test_a_decorator_of_a_container(bench: Bench) -> None:
    """A decorator of a container wraps the whole body."""
    body = '<sequential name="s"><decorator name="x" bean="mine"/><steps><step><source>3</source></step></steps></sequential>'
    assert bench.run(task(body), beans={"mine": twice}).result == [3, 3]


def named(name: str, **parameters: str) -> Any:
    """Return a named decorator."""
    return named_decorator(name, parameters, NODE)


def test_the_parameters_of_the_named_decorators() -> None:
    """Parameters are converted, and missing ones have their defaults."""
    retry = named("retry", maxRetryCount="3")
    assert isinstance(retry, Retry)
    assert (retry.max_retry_count, retry.retry_delay.constant, retry.max_retry_delay.constant) == (3, 1.0, 300.0)
    assert retry.exponential_delay
    assert not named("retry", maxRetryCount="0", retryDelay="5s", exponentialDelay="0").exponential_delay
    timeout = named("timeout", timeout="2s")
    assert isinstance(timeout, Timeout)
    assert timeout.timeout.constant == 2
    limit = named("rateLimit", requestPerSecond="2.5", maxWait="1m", **{"global": "true"})
    assert isinstance(limit, RateLimit)
    assert (limit.request_per_second.run({}), limit.max_wait.constant, limit.global_) == (2.5, 60, True)
    assert not named("rateLimit", requestPerSecond="1").global_


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("retry", {}, "the parameter 'maxRetryCount' is missing"),
        ("retry", {"maxRetryCount": "-1"}, "maxRetryCount='-1' is not a whole number from 0"),
        ("retry", {"maxRetryCount": "1", "retryDelay": "soon"}, "retryDelay='soon' is not a duration"),
        (
            "retry",
            {"maxRetryCount": "1", "exponentialDelay": "yes"},
            "exponentialDelay='yes' is neither true nor false",
        ),
        ("retry", {"maxRetryCont": "1"}, "no parameter 'maxRetryCont'; did you mean 'maxRetryCount'?"),
        (
            "retry",
            {"?!": "1"},
            "no parameter '\\?!'; it has: exponentialDelay, maxRetryCount, maxRetryDelay, retryDelay",
        ),
        ("timeout", {}, "the parameter 'timeout' is missing"),
        ("timeout", {"timeout": "0"}, "timeout must be more than 0"),
        ("rateLimit", {}, "the parameter 'requestPerSecond' is missing"),
        ("rateLimit", {"requestPerSecond": "0"}, "requestPerSecond='0' is not a number above 0"),
        ("rateLimit", {"requestPerSecond": "x"}, "requestPerSecond='x' is not a number above 0"),
        ("rateLimit", {"requestPerSecond": "nan"}, "requestPerSecond='nan' is not a number above 0"),
        ("rateLimit", {"requestPerSecond": "1", "global": "both"}, "global='both' is neither true nor false"),
    ],
)
def test_wrong_parameters_of_the_named_decorators(
    bench: Bench, name: str, parameters: dict[str, str], message: str
) -> None:
    """Wrong parameters are errors of the file."""
    with pytest.raises(ValueError, match=message):
        named(name, **parameters)
    given = "".join(f' p:{key}="{value}"' for key, value in parameters.items() if key != "?!")
    if given or not parameters:
        text = STEP.format(f'<decorator name="{name}"{given} xmlns:p="p"/>')
        assert [item.code for item in bench.problems(task(text))] == ["bad-value"]


def test_effects_of_the_named_decorators(bench: Bench) -> None:
    """Named decorators do the same as the elements of those names, but inside catch."""
    calls: list[int] = []

    async def flaky() -> int:
        calls.append(1)
        if len(calls) < 3:
            raise OSError
        return len(calls)

    text = '<simple name="a" bean="flaky"><decorator name="retry" retry:maxRetryCount="2" xmlns:retry="r"/></simple>'
    ran = bench.run(task(text), beans={"flaky": flaky})
    assert ran.result == 3
    assert 0.7 * 6_000 <= ran.elapsed <= 1.3 * 6_000
    text = """<delay name="a" delayMillisExpr="1h"><decorator name="timeout" timeout:timeout="1s" xmlns:timeout="t"/>
      <catch>return 'caught'</catch></delay>"""
    assert bench.run(task(text)).result == "caught"
    assert isinstance(bench.run(task(text.replace("<catch>return 'caught'</catch>", ""))).cause, StepTimeout)
    text = """<loop name="l" itemsExpr="[1, 2, 3]"><steps><step name="a">
      <decorator name="rateLimit" rl:requestPerSecond="1" rl:maxWait="1s" xmlns:rl="r"/><source>1</source></step></steps></loop>"""
    ran = bench.run(task(text))
    assert ran.error is None
    assert ran.elapsed == 2_000
    ran = bench.run(task(text.replace('rl:maxWait="1s"', "")))
    assert isinstance(ran.cause, RateLimitTimeout)
    assert set(NAMED_DECORATORS) == {"retry", "timeout", "rateLimit"}
