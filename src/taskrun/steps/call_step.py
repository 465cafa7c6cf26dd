"""<call-step>: run a step of a step library.

    <call-step name="net" libModelPath="money.task-lib.xml" stepName="net-price">
      <input name="gross"/>
      <output name="net"/>
    </call-step>
    <call-step name="net" libName="money" libVersion="1" stepName="net-price"> … </call-step>

Rules: the library step runs in the scope of the calling step. What the library step declares as inputs, ``when``, flags
and ``next`` is ignored; what the calling step declares is used. The other decorators of the library step, up to rank
100 (such as catch, retry, timeout and allowFailure), apply, inside those of the calling step.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Iterable, Iterator, Mapping
from typing import Any, ClassVar

from taskrun.core.completion import Completion
from taskrun.core.frame import Frame
from taskrun.core.inputs import Input
from taskrun.core.link_context import LinkContext
from taskrun.core.run import Run
from taskrun.core.script_views import VIEWS
from taskrun.core.step import Step, step, walk
from taskrun.core.traits import Traits
from taskrun.core.weave import LIBRARY_RANK
from taskrun.errors import Diagnostic, near_hint
from taskrun.model.flow_reference import FlowReference


class CallStepTraits(Traits):
    """Traits of ``<call-step>``: what is true of the called library step.

    Before the run the library step is not known, so that the methods return the cautious answer.
    """

    __slots__ = ()

    def contains_steps(self, _step: Step) -> bool:
        """Return True, because the library step, which is not known before the run, may have steps inside."""
        return True

    def has_compensation(self, _step: Step) -> bool:
        """Return True, because the library step, which is not known before the run, may have a compensation."""
        return True

    def compensation_data(self, step: CallStep, frame: Frame) -> Mapping[str, Any] | None:
        """Return the variables that the compensations of this step and of the library step need; None without any."""
        called = step.called(frame.run)
        both = [Traits.compensation_data(self, step, frame), called.traits.compensation_data(called, frame)]
        found = [values for values in both if values is not None]
        return {name: value for values in found for name, value in values.items()} if found else None

    async def compensate(self, step: CallStep, frame: Frame, completion: Completion) -> None:
        """Perform the compensation of this step, then that of the library step."""
        await Traits.compensate(self, step, frame, completion)
        called = step.called(frame.run)
        await called.traits.compensate(called, frame, completion)

    def children_in_run(self, step: CallStep, run: Run, _path: str) -> tuple[Run, Iterable[Step]]:
        """Return the run and the steps inside the library step, for the code that finds the step of a recorded path."""
        return run, step.called(run).children()

    def requested_inputs(self, step: CallStep, run: Run) -> tuple[Input, ...]:
        """Return the inputs that the library step requests from the caller of ``resume``."""
        called = step.called(run)
        return called.traits.requested_inputs(called, run)

    def reads_by_name(self, _step: Step) -> Iterator[str]:
        """Yield ``stepRt`` and ``taskStepRt``, the variables for the running step, which the library step may read."""
        yield from VIEWS

    def reads_unknown(self, _step: Step) -> bool:
        """Return True, because the library step may read variables of the task that this file does not name."""
        return True


@step("call-step")
class CallStep(Step):
    """Step ``<call-step>``: runs a step of a step library."""

    traits: ClassVar[Traits] = CallStepTraits(marks_handled=True)

    lib_name: str | None = None
    lib_version: int | None = None
    lib_model_path: str | None = None
    step_name: str

    @property
    def reference(self) -> FlowReference:
        """The attributes that select the library (by name and version, or by file path), as an object that loads it."""
        return FlowReference(self.node, "lib", self.lib_name, self.lib_version, self.lib_model_path)

    def run(self, frame: Frame) -> Awaitable[Completion]:
        """Run the library step in the frame of this step, with the decorators that apply."""
        run = frame.run
        library = self.reference.load(run.services)
        way = (run.traced, run.journal.records, run.services.check_mutation)
        return library.library_program(self.step_name, *way).run(frame)

    def called(self, run: Run) -> Step:
        """Load the library and return the library step that this step calls."""
        found = self.reference.load(run.services).library_step(self.step_name)
        assert found is not None  # noqa: S101 - link has checked it
        return found

    def analyze(self) -> Iterable[Diagnostic]:
        """Yield a diagnostic unless exactly one of ``libName`` and ``libModelPath`` is given."""
        return self.reference.analyze()

    def link(self, context: LinkContext) -> Iterator[Diagnostic]:
        """Yield diagnostics: the library does not exist or has errors, or has no such step; else those of that step."""
        problems = list(self.reference.link(context, self))
        if problems:
            yield from problems
            return
        library = self.reference.load(context.services)
        found = library.library_step(self.step_name)
        if found is None:
            names = [child.name for child in library.model.children()]
            hint = near_hint(self.step_name, names) or "it has: " + ", ".join(names)
            text = f"the library {library.path} has no step '{self.step_name}'"
            yield self.node.problem("unknown-step-in-lib", text, hint=hint, attribute="stepName")
            return
        key = (library.path, self.step_name)
        if key not in context.library_steps:
            called = dataclasses.replace(found, inputs=self.inputs)
            yield from _link_problems(called, dataclasses.replace(context, library_steps=context.library_steps | {key}))


def _link_problems(called: Step, context: LinkContext) -> Iterator[Diagnostic]:
    """Yield the diagnostics of linking the library step ``called`` and the steps inside it.

    Decorators of the library step that a call ignores, such as ``when``, are not linked.
    """
    for inner in walk(called):
        yield from inner.link(context)
        for decorator in inner.decorators:
            for part in decorator.traits.parts(decorator, inner):
                if inner is not called or part.rank <= LIBRARY_RANK:
                    yield from part.link(context, inner)
