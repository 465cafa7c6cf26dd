"""<call-step>: run a step of a library.

    <call-step name="net" libModelPath="money.task-lib.xml" stepName="net-price">
      <input name="gross"/>
      <output name="net"/>
    </call-step>
    <call-step name="net" libName="money" libVersion="1" stepName="net-price"> … </call-step>

The library's step runs with its decorators (catch, outputs, retry, timeout … up to allowFailure) in the calling step's
scope. Its own inputs, ``when``, flags and ``next`` do not apply: the calling step has its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Iterable, Iterator, Mapping
from typing import Any

from taskrun.compile.flow_reference import FlowReference
from taskrun.core.completion import Completion
from taskrun.core.frame import Frame
from taskrun.core.inputs import Input
from taskrun.core.link_context import LinkContext
from taskrun.core.run import Run
from taskrun.core.script_views import VIEWS
from taskrun.core.step import Step, step, walk
from taskrun.core.weave import LIBRARY_RANK
from taskrun.errors import Diagnostic, near_hint


@step("call-step")
class CallStep(Step):
    """A called step of a library."""

    marks_handled = True

    lib_name: str | None = None
    lib_version: int | None = None
    lib_model_path: str | None = None
    step_name: str

    @property
    def reference(self) -> FlowReference:
        """The file of the library."""
        return FlowReference(self.node, "lib", self.lib_name, self.lib_version, self.lib_model_path)

    def run(self, frame: Frame) -> Awaitable[Completion]:
        """Run the library's step in this step's frame."""
        run = frame.run
        library = self.reference.load(run.services)
        way = (run.traced, run.journal.records, run.services.check_mutation)
        return library.library_program(self.step_name, *way).run(frame)

    def _called(self, run: Run) -> Step:
        """Return the library's step."""
        found = self.reference.load(run.services).library_step(self.step_name)
        assert found is not None  # noqa: S101 - checked before the run
        return found

    @property
    def holds_steps(self) -> bool:
        """The library's step may have some."""
        return True

    @property
    def undoes(self) -> bool:
        """The library's step may be one that can be undone."""
        return True

    def compensation_data(self, frame: Frame) -> Mapping[str, Any] | None:
        """What undoing this step or the library's needs."""
        both = [Step.compensation_data(self, frame), self._called(frame.run).compensation_data(frame)]
        found = [values for values in both if values is not None]
        return {name: value for values in found for name, value in values.items()} if found else None

    async def undo(self, frame: Frame, done: Completion) -> None:
        """Compensation this step, then the library's."""
        await Step.undo(self, frame, done)
        await self._called(frame.run).undo(frame, done)

    def inside(self, run: Run, _path: str) -> tuple[Run, Iterable[Step]]:
        """Return the steps inside the library's step."""
        return run, self._called(run).children()

    def asked(self, run: Run) -> tuple[Input, ...]:
        """What the library's step asks for."""
        return self._called(run).asked(run)

    def reads_by_name(self) -> Iterator[str]:
        """What the library's step may read of this step's own."""
        yield from VIEWS

    @property
    def reads_unknown(self) -> bool:
        """The library's step may read any variable of the task."""
        return True

    def analyze(self) -> Iterable[Diagnostic]:
        """The library is named in one way."""
        return self.reference.analyze()

    def link(self, context: LinkContext) -> Iterator[Diagnostic]:
        """The library exists, is right, and has the step."""
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
            yield from _problems(called, dataclasses.replace(context, library_steps=context.library_steps | {key}))


def _problems(called: Step, context: LinkContext) -> Iterator[Diagnostic]:
    for inner in walk(called):
        yield from inner.link(context)
        for decorator in inner.decorators:
            for part in decorator.parts(inner):
                if inner is not called or part.rank <= LIBRARY_RANK:
                    yield from part.link(context, inner)
