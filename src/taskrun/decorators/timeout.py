"""timeout: cancel a step that takes too long, and let it fail.

    <step name="ask" timeout="2s"> … </step>

Rules: the time includes all attempts of a ``retry`` and the waits between them, but not the wait for a ``throttle`` or
``rate-limit``. When it is over, the step is cancelled: its ``finally`` runs, its ``catch`` does not. Then the step
fails with StepTimeout. This failure can be handled by ``allowFailure`` or ``nextOnError`` of the step, or by a handler
of an enclosing step, such as ``catch`` or ``retry``.
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
        """Run the step; raises StepTimeout if it takes longer than the time limit."""
        return run_with_timeout(self.timeout.seconds(frame), frame, inner, "timeout")
