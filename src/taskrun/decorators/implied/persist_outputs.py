"""persist="true" on an output: record the value although the step itself is not recorded.

    <step name="page" saveState="false"> … <output name="cursor" persist="true"/></step>

Rules: a step with ``saveState="false"`` is executed again in a resumed run. Before its inputs are evaluated, the
variable of the output is set to the value recorded last, so that the step can continue from there. A recorded step does
not need ``persist``: all its outputs are recorded.
"""

from __future__ import annotations

from typing import ClassVar

from taskrun.core.completion import Completion
from taskrun.core.frame import Frame
from taskrun.core.journal import StepRecord
from taskrun.core.outputs import Output
from taskrun.core.step import ImpliedDecorator, Inner, Step, decorator
from taskrun.core.timers import now
from taskrun.core.traits import DecoratorTraits
from taskrun.core.weave import WeaveSettings


@decorator("persistOutputs", rank=125)
class PersistOutputs(ImpliedDecorator):
    """Implied decorator that records outputs with ``persist="true"`` of a step that is not recorded itself."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(
        implied_in=("recorded",), implied_by=("outputs",), implied_if_recorded=False, belongs_to_call=True
    )

    name: str
    outputs: tuple[Output, ...]

    @classmethod
    def implied(cls, step: Step, _settings: WeaveSettings) -> PersistOutputs | None:
        """Return the decorator for a step with outputs that have ``persist="true"``, None for other steps."""
        persisted = tuple(item for item in step.outputs if item.persist)
        return cls(name=step.name, outputs=persisted) if persisted else None

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Set the variables of the outputs to their recorded values, run the step, and record the new values."""
        recorder = frame.run.journal
        path = frame.path_of(self.name)
        key = f"{path}:outputs"
        record = recorder.recorded(key)
        if record is not None:
            values = recorder.value(record.outputs)
            for item in self.outputs:
                scope = frame.run.scope if item.to_task_scope else frame.scope
                scope[item.variable] = values.get(item.name)
        done = await inner(frame)
        if not done.suspended:
            found = {item.name: done.outputs.get(item.name) for item in self.outputs}
            text = recorder.text(found, f"step {path}: output ")
            recorder.note(StepRecord(key, "outputs", outputs=text, ended=now()))
        return done
