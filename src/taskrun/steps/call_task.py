"""<call-task>: run another task in a scope of its own.

    <call-task name="price" taskModelPath="pricing.task.xml">
      <input name="order"/>
      <output name="total"/>
    </call-task>
    <call-task name="price" taskName="pricing" taskVersion="2"> … </call-task>

Rules: the inputs of the step are passed to the task. The task sees neither other variables nor flags of the caller. The
step returns the outputs and the RESULT of the task. An ``<end>`` in the task ends the task, not its caller. Cancelling
the caller cancels the task.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from taskrun.core.completion import Completion
from taskrun.core.execution import execute
from taskrun.core.frame import Frame
from taskrun.core.link_context import LinkContext
from taskrun.core.run import Run
from taskrun.core.step import Step, step
from taskrun.core.traits import Traits
from taskrun.errors import Diagnostic, FlowError, near_hint
from taskrun.model.flow_reference import FlowReference


class CallTaskTraits(Traits):
    """Traits of ``<call-task>``: the steps inside are those of the called task, in another file."""

    __slots__ = ()

    def contains_steps(self, _step: Step) -> bool:
        """Return True: the steps of the called task count as steps inside."""
        return True

    def has_compensation(self, _step: Step) -> bool:
        """Return True, because the called task, which is not known before the run, may have compensations."""
        return True

    def children_in_run(self, step: CallTask, run: Run, path: str) -> tuple[Run, Iterable[Step]]:
        """Return a child run for the called task and the steps of that task; ``path`` is the path of this step."""
        called = run.child_run(step.reference.find(run.services.search_path), path)
        return called, called.flow.model.children()


@step("call-task")
class CallTask(Step):
    """Step ``<call-task>``: runs another task."""

    traits: ClassVar[Traits] = CallTaskTraits(marks_handled=True)

    task_name: str | None = None
    task_version: int | None = None
    task_model_path: str | None = None

    @property
    def reference(self) -> FlowReference:
        """The attributes that select the task (by name and version, or by file path), as an object that loads it."""
        return FlowReference(self.node, "task", self.task_name, self.task_version, self.task_model_path)

    async def run(self, frame: Frame) -> Completion:
        """Run the task with the inputs of the step, and return its completion."""
        run = frame.run
        called = run.child_run(self.reference.find(run.services.search_path), frame.path)
        called.compensations = frame.compensations
        return await execute(called, {item.name: frame.scope[item.name] for item in self.inputs})

    def analyze(self) -> Iterable[Diagnostic]:
        """Yield a diagnostic unless exactly one of ``taskName`` and ``taskModelPath`` is given."""
        return self.reference.analyze()

    def link(self, context: LinkContext) -> Iterable[Diagnostic]:
        """Return diagnostics: the task does not exist or has errors; an input of the step is unknown or missing."""
        problems = list(self.reference.link(context, self))
        if problems:
            return problems
        try:
            declared = {item.name: item for item in self.reference.load(context.services).model.inputs}
        except FlowError:
            return ()
        given = {item.name: item for item in self.inputs}
        for name, item in given.items():
            if declared and name not in declared:
                hint = near_hint(name, declared) or "the task has: " + ", ".join(declared)
                problems.append(item.node.problem("unknown-input", f"the task has no input '{name}'", hint=hint))
        for name, wanted in declared.items():
            if wanted.mandatory and wanted.default_value is None and wanted.by_name and name not in given:
                text = f"the task needs the input '{name}'"
                problems.append(self.node.problem("missing-input", text, hint=f'add <input name="{name}"/>'))
        return problems
