"""<rate-limit>: limit how many times per second a step starts.

    <rate-limit requestPerSecond="10" maxWait="1s" keyExpr="host" global="true"/>

Rules: the limit applies to each value of ``keyExpr`` separately; without it there is one limit for the step. It applies
to one run, with ``global="true"`` to all runs of the TaskManager together. At first, and after a pause, the starts of
one second may happen at once (a token bucket). A step that would have to wait longer than ``maxWait`` fails at once
with RateLimitTimeout.
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
        """Wait until the step may start, then run it; raises RateLimitTimeout if it would have to wait too long."""
        rate = float(frame.eval(self.request_per_second))
        if not rate > 0:
            raise ValueError(f"requestPerSecond gave {rate:g}; a number above 0 is expected")
        limiters, key = limiters_and_key(frame, self.key, self.global_)
        await limiters.take_token(key, rate, self.max_wait.seconds(frame))
        return await inner(frame)
