"""The decorators that come with the language, for ``<decorator name="…">``: retry, timeout, rateLimit.

    <decorator name="retry" retry:maxRetryCount="3" retry:retryDelay="1000" retry:maxRetryDelay="300000"/>
    <decorator name="timeout" timeout:timeout="2s"/>
    <decorator name="rateLimit" rateLimit:requestPerSecond="10" rateLimit:maxWait="1s" rateLimit:global="true"/>

Rules: they do what ``<retry>``, ``timeout`` and ``<rate-limit>`` do, next to the body and so inside ``catch``. Delays of this
retry are 1 s doubling up to 300 s unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from types import MappingProxyType
from typing import ClassVar

from taskrun.core.completion import Completion
from taskrun.core.duration import EXPECTED, Millis, parse_duration
from taskrun.core.frame import Frame
from taskrun.core.step import Decorator, Inner, base
from taskrun.core.timers import run_with_timeout
from taskrun.decorators.limiter_keys import limiters_and_key
from taskrun.decorators.retry import Retry
from taskrun.errors import near_hint
from taskrun.syntax.node import Node

SHIPPED = ("retry", "timeout", "rateLimit")
_PARAMETERS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "retry": frozenset({"maxRetryCount", "retryDelay", "maxRetryDelay", "exponentialDelay"}),
        "timeout": frozenset({"timeout"}),
        "rateLimit": frozenset({"requestPerSecond", "maxWait", "global"}),
    }
)
_DEFAULT_DELAY, _DEFAULT_LONGEST = "1000", "300000"
_BOOLEANS: Mapping[str, bool] = MappingProxyType({"true": True, "1": True, "false": False, "0": False})


@base
class NamedRetry(Retry):
    """``<retry>`` at the place of a custom decorator."""

    rank: ClassVar[int] = 10
    order: int = 100


@base
class NamedTimeout(Decorator):
    """``timeout`` at the place of a custom decorator."""

    seconds: float
    order: int = 100

    def around(self, frame: Frame, inner: Inner) -> Awaitable[Completion]:
        """Run the step within the time."""
        return run_with_timeout(self.seconds, frame, inner, "timeout")


@base
class NamedRateLimit(Decorator):
    """``<rate-limit>`` at the place of a custom decorator."""

    rate: float
    max_wait: float
    shared: bool
    order: int = 100

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Wait for a token and run the step."""
        limiters, key = limiters_and_key(frame, None, self.shared)
        await limiters.take_token(key, self.rate, self.max_wait)
        return await inner(frame)


def named_decorator(name: str, parameters: Mapping[str, str], order: int, node: Node) -> Decorator:
    """Return the shipped decorator of that name; raises ValueError for a wrong, missing or unknown parameter."""
    known = _PARAMETERS[name]
    for parameter in parameters:
        if parameter not in known:
            hint = near_hint(parameter, known) or "it has: " + ", ".join(sorted(known))
            raise ValueError(f"no parameter '{parameter}'; {hint}")
    if name == "retry":
        return NamedRetry(
            node=node,
            max_retry_count=_count(parameters, "maxRetryCount"),
            retry_delay=Millis(_seconds(parameters, "retryDelay", _DEFAULT_DELAY)),
            max_retry_delay=Millis(_seconds(parameters, "maxRetryDelay", _DEFAULT_LONGEST)),
            exponential_delay=_boolean(parameters, "exponentialDelay", "true"),
            order=order,
        )
    if name == "timeout":
        seconds = _seconds(parameters, "timeout")
        if not seconds:
            raise ValueError("timeout is more than 0")
        return NamedTimeout(seconds=seconds, order=order)
    return NamedRateLimit(
        rate=_rate(parameters, "requestPerSecond"),
        max_wait=_seconds(parameters, "maxWait", "0"),
        shared=_boolean(parameters, "global", "false"),
        order=order,
    )


def _given(parameters: Mapping[str, str], name: str, default: str | None = None) -> str:
    text = parameters.get(name, default)
    if text is None:
        raise ValueError(f"the parameter '{name}' is missing")
    return text


def _seconds(parameters: Mapping[str, str], name: str, default: str | None = None) -> float:
    text = _given(parameters, name, default)
    seconds = parse_duration(text)
    if seconds is None:
        raise ValueError(f"{name}='{text}' is not {EXPECTED}")
    return seconds


def _count(parameters: Mapping[str, str], name: str) -> int:
    text = _given(parameters, name)
    if not text.isdigit():
        raise ValueError(f"{name}='{text}' is not a whole number from 0")
    return int(text)


def _rate(parameters: Mapping[str, str], name: str) -> float:
    text = _given(parameters, name)
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not rate > 0:
        raise ValueError(f"{name}='{text}' is not a number above 0")
    return rate


def _boolean(parameters: Mapping[str, str], name: str, default: str) -> bool:
    text = _given(parameters, name, default)
    if text not in _BOOLEANS:
        raise ValueError(f"{name}='{text}' is neither true nor false")
    return _BOOLEANS[text]
