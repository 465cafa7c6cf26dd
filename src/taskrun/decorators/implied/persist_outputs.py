"""persist="true" on the output of a step that is not recorded: the value is, though the step is done again.

    <step name="page" saveState="false"> … <output name="cursor" persist="true"/></step>

Rules: when a resumed run comes to the step, the variable has the value of the last time, so that the step can go on
from there; that is before its inputs are evaluated. Steps that are recorded keep all their outputs and have no need of this.
"""

from __future__ import annotations

from taskrun.core.completion import Completion
from taskrun.core.frame import Frame
from taskrun.core.journal import StepRecord
from taskrun.core.outputs import Output
from taskrun.core.step import ImpliedDecorator, Inner, Step, decorator
from taskrun.core.timers import now
from taskrun.core.weave import WeaveSettings


@decorator("persistOutputs", rank=125)
class PersistOutputs(ImpliedDecorator):
    """The outputs that are recorded of a step that is not."""

    name: str
    outputs: tuple[Output, ...]

    @classmethod
    def implied(cls, step: Step, settings: WeaveSettings) -> PersistOutputs | None:
        """Round every step of a recorded run that is not recorded itself and has such outputs."""
        kept = tuple(item for item in step.outputs if item.persist)
        here = settings.recorded and not settings.saved(step) and not settings.root and settings.outermost is None
        return cls(name=step.name, outputs=kept) if here and kept else None

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Set the variables as they were, before the step's inputs are bound; run the step, and record the outputs."""
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
