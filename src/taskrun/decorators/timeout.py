"""timeout: a step that takes too long is cancelled and has failed.

    <step name="ask" timeout="2s"> … </step>

Rules: it covers all attempts of a ``retry`` and the waits between them, but not the wait for a ``throttle`` or
``rate-limit``. Inside, the step is cancelled: its own ``catch`` is not called, its ``finally`` is. Outside, it has failed with
StepTimeout, which an enclosing catch, retry or selector, its own allowFailure or nextOnError can hold.
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
    """A limit on a step's time; 0 is none."""

    timeout: Millis

    def around(self, frame: Frame, inner: Inner) -> Awaitable[Completion]:
        """Run the step within the time."""
        return run_with_timeout(self.timeout.seconds(frame), frame, inner, "timeout")
