"""persisVars: record variables of a container.

    <sequential name="all" persisVars="seen, cursor"> … </sequential>

Rules: use it for variables that scripts of the container assign; the variables to which steps export their outputs are
recorded anyway. The values are recorded whenever a step inside the container ends. When a resumed run enters the
container again, the variables get their recorded values.
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
    """Implied decorator that restores the variables of a container that ``persisVars`` names, when a run is resumed.

    The decorator ``replay`` of the steps inside records them.
    """

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(implied_in=("recorded",), implied_by=("persis_vars",))

    @classmethod
    def implied(cls, _step: Step, _settings: WeaveSettings) -> PersistVariables | None:
        """Return the decorator; the weaver asks only for a container with ``persisVars`` in a recorded run."""
        return cls()

    def around(self, frame: Frame, inner: Inner) -> Awaitable[Completion]:
        """Set the variables to their recorded values, if there are any, then run the body of the container."""
        record = frame.recorded("vars")
        if record is not None:
            frame.scope.update(frame.run.journal.value(record.outputs))
        return inner(frame)
