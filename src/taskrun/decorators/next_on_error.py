"""nextOnError: jump to another step when this one fails.

    <step name="a" nextOnError="repair" errorName="problem"> … </step>

Rules: the variable ``errorName`` (default ``ERROR``) in the scope of the caller becomes an object that describes the
failure. Its attributes are those of ErrorBean, such as ``errorCode``, ``description`` and ``params``. A cancelled step
does not jump. In a ``<graph>`` the attribute does not jump, but lets the other step wait for the failure of this one.
"""

from __future__ import annotations

from typing import ClassVar

from taskrun.core.completion import Completion, jump_to
from taskrun.core.execution import failed_step
from taskrun.core.frame import Frame
from taskrun.core.script_views import ErrorBean
from taskrun.core.step import ImpliedDecorator, Inner, Step, decorator
from taskrun.core.traits import DecoratorTraits
from taskrun.core.weave import WeaveSettings
from taskrun.durable.compensation import mark_handled, may_handle

ERROR = "ERROR"


@decorator("nextOnError", rank=135)
class NextOnError(ImpliedDecorator):
    """Implied decorator for ``nextOnError``: jumps to another step when its step fails."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(
        may_suspend=False, implied_in=("jumps",), implied_by=("next_on_error",), belongs_to_call=True
    )

    name: str
    target: str
    error_name: str

    @classmethod
    def implied(cls, step: Step, _settings: WeaveSettings) -> NextOnError | None:
        """Return the decorator for a step with ``nextOnError``, None for any other step.

        The weaver asks only for steps that run one after the other; in a graph ``nextOnError`` is an edge.
        """
        if step.next_on_error is None:
            return None
        return cls(name=step.name, target=step.next_on_error, error_name=step.error_name)

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the step; when it fails, set the error variable and jump to the step that ``nextOnError`` names."""
        try:
            return await inner(frame)
        except Exception as error:
            if not may_handle(frame.run, error):
                raise
            mark_handled(frame.run, frame.path_of(self.name), f"nextOnError={self.target}")
            note = failed_step(error)
            bean = ErrorBean(error, note.location if note else None)
            frame.scope[self.error_name] = bean
            return jump_to(self.target, {ERROR: bean})
