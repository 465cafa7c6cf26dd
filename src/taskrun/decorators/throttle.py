"""<throttle>: limit how many executions of a step run at the same time.

    <throttle maxConcurrency="4" maxWait="30s" keyExpr="host" global="true"/>

Rules: permits are counted per key, the value of ``keyExpr`` as text, by default one key for the step. They are counted
in the run, with ``global`` in all runs of the TaskManager. A step that waits longer than ``maxWait`` fails with
ThrottleTimeout.
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
        """Acquire a permit, run the step, release the permit."""
        limiters, key = limiters_and_key(frame, self.key, self.global_)
        permits = await limiters.acquire(key, self.max_concurrency, self.max_wait.seconds(frame))
        try:
            return await inner(frame)
        finally:
            limiters.release(key, permits)
