"""persisVars: variables of a container that are kept in the record of the run.

    <sequential name="all" persisVars="seen, cursor"> … </sequential>

Rules: what steps inside export is there again in a resumed run anyway; this is for variables that scripts of the
container set. They are written with each step inside that ends, and set again when a resumed run comes back.
"""

from __future__ import annotations

from collections.abc import Awaitable

from taskrun.core.completion import Completion
from taskrun.core.frame import Frame
from taskrun.core.step import ImpliedDecorator, Inner, Step, decorator
from taskrun.core.weave import WeaveSettings


@decorator("persistVariables", rank=14)
class PersistVariables(ImpliedDecorator):
    """The variables of a container that are kept."""

    @classmethod
    def implied(cls, step: Step, settings: WeaveSettings) -> PersistVariables | None:
        """Round every recorded container that names some."""
        return cls() if step.persis_vars and settings.recorded else None

    def around(self, frame: Frame, inner: Inner) -> Awaitable[Completion]:
        """Set what is recorded, then run the body."""
        record = frame.recorded("vars")
        if record is not None:
            frame.scope.update(frame.run.journal.value(record.outputs))
        return inner(frame)
