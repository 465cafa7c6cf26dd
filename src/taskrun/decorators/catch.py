"""<catch>: handle the failure of a step by a script, whose value becomes the RESULT of the step.

    <catch>return 'unknown: ' + str(exception)</catch>

Rules: the script can read ``exception`` and ``stepRt``, an object with the name and path of the running step. After the
script the step counts as successful; if the script raises, the step fails with that exception instead. A cancellation
is caught only with ``catchInternalException="true"`` on the step. ``catch`` is nearer to the step than ``retry``, so a
failure that it handles is not retried.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, ClassVar

from taskrun.core.completion import Completion, completion_of
from taskrun.core.fields import OnStep, Own
from taskrun.core.frame import Frame
from taskrun.core.step import Decorator, Inner, decorator
from taskrun.core.traits import DecoratorTraits
from taskrun.durable.compensation import mark_handled, may_handle


@decorator("catch", rank=20)
class Catch(Decorator):
    """Decorator for ``<catch>``: handles the failure of its step by a script."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(may_suspend=False)

    body: Own
    catch_internal_exception: Annotated[bool, OnStep()] = False

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the step; when it fails, run the script and return its value as the RESULT of the step."""
        try:
            return await inner(frame)
        except Exception as error:
            if not may_handle(frame.run, error):
                raise
            failure: BaseException = error
        except asyncio.CancelledError as error:
            if not self.catch_internal_exception or not may_handle(frame.run, error):
                raise
            frame.run.control.uncancel()
            failure = error
        mark_handled(frame.run, frame.path)
        try:
            return completion_of(frame.call(self.body, exception=failure))
        except Exception as error:
            if error is not failure and error.__context__ is None:
                error.__context__ = failure
            raise
