"""Rollback of a container: when its body fails or is cancelled, compensate the steps that have succeeded in it.

Rules: this decorator is nearer to the body than catch, retry and the other handlers, so that they run after the
rollback. A flow without any compensation does not have it. A ``<call-task>`` or ``<call-step>`` does not have it
either, because the called step or task has its own.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import ClassVar

from taskrun.core.completion import Completion
from taskrun.core.frame import Frame
from taskrun.core.step import ImpliedDecorator, Inner, Step, decorator
from taskrun.core.traits import DecoratorTraits
from taskrun.core.weave import WeaveSettings
from taskrun.durable.compensation import with_compensation


@decorator("compensate", rank=15)
class Compensate(ImpliedDecorator):
    """Implied decorator of a container: collects the compensations of its steps, and rolls it back when it fails."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(implied_in=("compensates",))

    @classmethod
    def implied(cls, step: Step, _settings: WeaveSettings) -> Compensate | None:
        """Return the decorator for a step that has steps inside in the same file, None for any other step.

        The weaver asks only if the flow has compensations.
        """
        return cls() if next(iter(step.children()), None) is not None else None

    def around(self, frame: Frame, inner: Inner) -> Awaitable[Completion]:
        """Run the body with an empty list of compensations, and roll it back when it fails or is cancelled."""
        return with_compensation(frame, inner)
