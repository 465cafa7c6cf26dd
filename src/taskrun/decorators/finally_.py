"""<finally>: run a script after a step, whether it succeeded, failed or was cancelled.

    <finally>logInfo("done, {}", exception)</finally>

Rules: the script can read ``exception`` (null after success) and ``stepRt``, an object with the name and path of the
running step. It runs after ``catch``, and after each attempt of a ``retry``. Its value is ignored. If it raises, the
step fails with that exception, even if it had succeeded; but a cancelled step stays cancelled. The script does not run
when the run is suspended inside the step, because the step has not ended.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

from taskrun.core.completion import Completion
from taskrun.core.control import RunAborted
from taskrun.core.fields import Own
from taskrun.core.frame import Frame
from taskrun.core.step import Decorator, Inner, decorator
from taskrun.core.traits import DecoratorTraits


@decorator("finally", rank=21)
class Finally(Decorator):
    """Decorator for ``<finally>``: runs a script after the step, whether it succeeded, failed or was cancelled."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(may_suspend=False)

    body: Own

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the step, then the script, also after a failure or cancellation.

        The script is not run if the run was suspended inside the step, or aborted.
        """
        try:
            done = await inner(frame)
        except RunAborted:
            raise
        except asyncio.CancelledError as error:
            if frame.run.is_aborted:
                raise
            try:
                frame.call(self.body, exception=error)
            except Exception as failure:  # noqa: BLE001 - a cancellation must not become a failure, which can be caught
                frame.run.report(f"{frame.path}: <finally> failed after a cancellation: {failure!r}")
            raise
        except BaseException as error:
            frame.call(self.body, exception=error)
            raise
        if not done.suspended:
            frame.call(self.body, exception=None)
        return done
