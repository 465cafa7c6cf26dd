"""persisVars: record variables of a container.

    <sequential name="all" persisVars="seen, cursor"> … </sequential>

Rules: outputs that steps inside export are recorded anyway; this is for variables that scripts of the container set.
They are recorded whenever a step inside ends, and set again when a resumed run re-enters the container.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import ClassVar

from taskrun.core.completion import Completion
from taskrun.core.frame import Frame
from taskrun.core.step import ImpliedDecorator, Inner, Step, decorator
from taskrun.core.traits import DecoratorTraits
from taskrun.core.weave import WeaveSettings


@decorator("persistVariables", rank=14)
class PersistVariables(ImpliedDecorator):
    """Implied decorator that records the variables named by ``persistVars`` of a container."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(implied_in=("recorded",), implied_by=("persis_vars",))

    @classmethod
    def implied(cls, _step: Step, _settings: WeaveSettings) -> PersistVariables | None:
        """Return the decorator for a recorded container with ``persisVars``."""
        return cls()

    def around(self, frame: Frame, inner: Inner) -> Awaitable[Completion]:
        """Set the recorded values of the variables, then run the body."""
        record = frame.recorded("vars")
        if record is not None:
            frame.scope.update(frame.run.journal.value(record.outputs))
        return inner(frame)
