"""Round the body of every container of a flow that can undo something: undo what its steps did when it fails.

Rules: nearer to the body than catch, retry and the other handlers, so that these see a clean container. FlowCache in which
nothing can be undone do not have it, and neither have steps whose body is in another file: that has its own there.
"""

from __future__ import annotations

from collections.abc import Awaitable

from taskrun.core.completion import Completion
from taskrun.core.frame import Frame
from taskrun.core.step import ImpliedDecorator, Inner, Step, decorator
from taskrun.core.weave import WeaveSettings
from taskrun.durable.compensation import with_compensation


@decorator("compensate", rank=15)
class Compensate(ImpliedDecorator):
    """The undo list of a container."""

    @classmethod
    def implied(cls, step: Step, settings: WeaveSettings) -> Compensate | None:
        """Round every step with steps inside, in this file, where something can be undone."""
        return cls() if settings.undoes and next(iter(step.children()), None) is not None else None

    def around(self, frame: Frame, inner: Inner) -> Awaitable[Completion]:
        """Run the body with a list of its own."""
        return with_compensation(frame, inner)
