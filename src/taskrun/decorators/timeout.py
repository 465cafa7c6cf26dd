"""timeout: cancel a step that takes too long, and let it fail.

    <step name="ask" timeout="2s"> … </step>

Rules: it covers all attempts of a ``retry`` and the waits between them, but not the wait for a ``throttle`` or
``rate-limit``. The step is cancelled, so its own ``catch`` is not called, but its ``finally`` is. Then it fails with
StepTimeout, which its own allowFailure or nextOnError, or an enclosing catch, retry or selector can handle.
"""

from __future__ import annotations

from collections.abc import Awaitable

from taskrun.core.completion import Completion
from taskrun.core.duration import Millis
from taskrun.core.frame import Frame
from taskrun.core.step import Decorator, Inner, decorator
from taskrun.core.timers import run_with_timeout


@decorator("timeout", rank=60, attribute=True)
class Timeout(Decorator):
    """Decorator for ``timeout``: limits the time of a step; 0 is no limit."""

    timeout: Millis

    def around(self, frame: Frame, inner: Inner) -> Awaitable[Completion]:
        """Run the step within the time limit."""
        return run_with_timeout(self.timeout.seconds(frame), frame, inner, "timeout")
