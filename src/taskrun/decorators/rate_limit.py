"""<rate-limit>: limit how many times per second a step starts.

    <rate-limit requestPerSecond="10" maxWait="1s" keyExpr="host" global="true"/>

Rules: each key has a token bucket, which has room for the tokens of one second and is full at first; keys are as for
``<throttle>``. A step that would have to wait longer than ``maxWait`` fails with RateLimitTimeout at once.
"""

from __future__ import annotations

from taskrun.core.completion import Completion
from taskrun.core.duration import Millis
from taskrun.core.fields import Expr
from taskrun.core.frame import Frame
from taskrun.core.step import Decorator, Inner, decorator
from taskrun.decorators.limiter_keys import limiters_and_key
from taskrun.script.script import Template


@decorator("rate-limit", rank=80)
class RateLimit(Decorator):
    """Decorator for ``<rate-limit>``: limits how many times per second a step starts."""

    request_per_second: Template
    max_wait: Millis
    key: Expr | None = None
    global_: bool = False

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Wait for a token, then run the step."""
        rate = float(frame.eval(self.request_per_second))
        if not rate > 0:
            raise ValueError(f"requestPerSecond gave {rate:g}; a number above 0 is expected")
        limiters, key = limiters_and_key(frame, self.key, self.global_)
        await limiters.take_token(key, rate, self.max_wait.seconds(frame))
        return await inner(frame)
