"""<finally>: run a script when a step has ended, however it ended.

    <finally>logInfo("done, {}", exception)</finally>

Rules: variables are ``exception`` (null after success) and ``stepRt``. It runs after ``catch``, once per attempt of a
``retry``, and on cancellation too. What it raises replaces the step's result, but not a cancellation, which goes on;
its value is ignored. A step that is suspended has not ended.
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
    """A script that always runs."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(may_suspend=False)

    body: Own

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the step, then the script."""
        try:
            done = await inner(frame)
        except RunAborted:
            raise
        except asyncio.CancelledError as error:
            if frame.run.is_aborted:
                raise
            try:
                frame.call(self.body, exception=error)
            except Exception as failure:  # noqa: BLE001 - nothing may turn a cancellation into what can be held
                frame.run.report(f"{frame.path}: <finally> failed after a cancellation: {failure!r}")
            raise
        except BaseException as error:
            frame.call(self.body, exception=error)
            raise
        if not done.suspended:
            frame.call(self.body, exception=None)
        return done
