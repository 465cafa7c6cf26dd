"""The element ``<revert>``: a script that compensates a step.

    <revert timeout="10s" maxRetryCount="2" retryDelay="1s">bank.refund(result)</revert>

Rules: the script is run in a rollback, if the step had succeeded. It can read the variables of the step with the values
that they had when the step ended. It can also read ``result`` and ``outputs`` (of the step), ``failure`` (the cause of
the rollback) and ``failures`` (step path → error). An attempt that takes longer than ``timeout`` has failed.
"""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from taskrun.core.duration import ZERO, Millis
from taskrun.core.fields import AwaitingOwn
from taskrun.core.script_views import VIEWS

if TYPE_CHECKING:
    from taskrun.core.frame import Frame

REVERT_VARIABLES = frozenset({"result", "outputs", "failure", "failures"})
"""The names of the variables that a rollback sets for a revert script; see the module docstring."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revert:
    """The element ``<revert>`` of a step: the script that compensates the step, its time limit and its retries.

    A negative ``max_retry_count`` means any number of retries.
    """

    body: AwaitingOwn
    timeout: Millis | None = None
    max_retry_count: int = 0
    retry_delay: Millis = ZERO

    def compensation_data(self, frame: Frame) -> dict[str, Any]:
        """Return the variables that the script reads, with the values that they have now, when the step has succeeded.

        They are stored until a rollback runs the script.
        """
        return compensation_data(frame, self.body.reads)

    async def run(self, frame: Frame) -> None:
        """Run the script, and repeat it after a failure; if all attempts fail, raise the exception of the last one.

        ``frame`` is a frame whose scope contains the stored variables (``compensation_data``).
        """
        attempt = 0
        while True:
            try:
                async with asyncio.timeout(self.timeout.seconds(frame) or None if self.timeout else None):
                    value = self.body.run(frame.scope)
                    if inspect.isawaitable(value):
                        await value
            except Exception:
                attempt += 1
                if frame.run.is_aborted or 0 <= self.max_retry_count < attempt:
                    raise
                await asyncio.sleep(self.retry_delay.seconds(frame))
            else:
                return


def compensation_data(frame: Frame, names: frozenset[str]) -> dict[str, Any]:
    """Return the values of those of the given names that are variables of the flow.

    Names that the engine sets, such as ``stepRt`` or ``failure``, are left out, as the rollback sets them itself.
    """
    scope, base = frame.scope, frame.run.base
    return {
        name: scope[name]
        for name in sorted(names)
        if name not in REVERT_VARIABLES and name not in VIEWS and name not in base and scope.has(name)
    }
