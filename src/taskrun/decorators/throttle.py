"""<throttle>: limit how many executions of a step run at the same time.

    <throttle maxConcurrency="4" maxWait="30s" keyExpr="host" global="true"/>

Rules: the limit applies to each value of ``keyExpr`` separately, here to each host; without it there is one limit for
the step. It applies to one run, with ``global="true"`` to all runs of the TaskManager together. A step that waits
longer than ``maxWait`` fails with ThrottleTimeout.
"""

from __future__ import annotations

from taskrun.core.completion import Completion
from taskrun.core.duration import Millis
from taskrun.core.fields import Expr
from taskrun.core.frame import Frame
from taskrun.core.step import Decorator, Inner, decorator
from taskrun.decorators.limiter_keys import limiters_and_key


@decorator("throttle", rank=70)
class Throttle(Decorator):
    """Decorator for ``<throttle>``: limits how many executions of a step run at the same time."""

    max_concurrency: int
    max_wait: Millis
    key: Expr | None = None
    global_: bool = False

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Wait until fewer than ``maxConcurrency`` executions run, then run the step; raises ThrottleTimeout."""
        limiters, key = limiters_and_key(frame, self.key, self.global_)
        permits = await limiters.acquire(key, self.max_concurrency, self.max_wait.seconds(frame))
        try:
            return await inner(frame)
        finally:
            limiters.release(key, permits)
