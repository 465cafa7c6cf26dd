"""Call of a step: create its scope, bind its inputs, run it, export its outputs, and determine the next step.

    RESULT of the caller's scope := RESULT of the step (not with ignoreResult="true")
    each declared output         := variable exportAs, or name, of the caller's scope (of the task's with toTaskScope)

Rules: the caller is the container of the step. Inputs are evaluated once, in the scope of the caller. If the step
fails, nothing is exported, and the exception gets a note with the path and location of the step. The attribute ``next``
of the step names the step that runs next, unless the completion of the step names another one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from taskrun.core.completion import RESULT, Completion, Signal, jump_to
from taskrun.core.fields import scripts_of
from taskrun.core.frame import Frame
from taskrun.core.inputs import Input, bind_inputs, unknown_variable
from taskrun.core.outputs import Output
from taskrun.core.scope import Scope
from taskrun.core.script_views import VIEWS, StepView
from taskrun.core.step import ImpliedDecorator, Inner, Step, decorator
from taskrun.core.traceback_notes import StepNote
from taskrun.core.traits import DecoratorTraits
from taskrun.core.weave import WeaveSettings
from taskrun.errors import InputError
from taskrun.script.script import UnknownVariableError

_new_scope = dict.__new__


@decorator("call", rank=120)
class Call(ImpliedDecorator):
    """Implied decorator that calls a step like a function: inputs are its arguments, outputs its return values."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(may_suspend=False, belongs_to_call=True)

    step: Step
    nested: bool
    """Whether the step sees its caller's variables (``useParentScope``)."""
    inputs: tuple[Input, ...]
    plain: tuple[tuple[str, Callable[[Scope], Any]], ...] | None
    """The inputs as names and functions of the caller's scope; None if one needs a conversion or a check."""
    exports: tuple[tuple[str, str], ...]
    """Names and variables of the outputs that are set in the scope of the caller."""
    task_exports: tuple[Output, ...]
    """Outputs that are set in the scope of the task (``toTaskScope``) or are reported by an event (``dump``)."""
    names: frozenset[str]
    """The names that are exported: RESULT and the declared outputs."""
    exports_all: bool
    """Whether all outputs of the body are exported, because only the run can tell their names (``Traits.provides``)."""
    jump: str | None
    """The ``next`` of the step; None without one, or where it is not a jump."""
    only_result: bool
    """Whether only RESULT is exported: there are no declared outputs, no ``next`` and no ``ignoreResult``."""
    views: bool
    """Whether the step may read its views, ``stepRt`` and ``taskStepRt``."""

    @classmethod
    def implied(cls, step: Step, settings: WeaveSettings) -> Call:
        """Return the decorator for a step.

        The root has none, because the session calls it. A library step uses the inputs and outputs of its
        ``<call-step>``.
        """
        inputs = tuple(item for item in step.inputs if not step.traits.requests(step, item))
        plain = all(item.plain for item in inputs) and step.language == "python"
        task_exports = tuple(item for item in step.outputs if item.to_task_scope or item.dump)
        return cls(
            step=step,
            nested=bool(step.use_parent_scope),
            inputs=inputs,
            plain=tuple((item.name, item.read) for item in inputs) if plain else None,
            exports=tuple((item.name, item.variable) for item in step.outputs if not item.to_task_scope),
            task_exports=task_exports,
            names=frozenset({RESULT, *(item.name for item in step.outputs)}),
            exports_all=step.traits.provides(step, None) is None,
            jump=step.next if settings.jumps else None,
            only_result=not (step.outputs or step.ignore_result or (settings.jumps and step.next)),
            views=not VIEWS.isdisjoint((*reads_of(step), *step.traits.reads_by_name(step))),
        )

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Call the step; ``frame`` is that of its container, whose scope has the inputs and receives the outputs."""
        callee = self.callee(frame)
        try:
            self.bind(callee, frame.scope)
            done = await inner(callee)
        except Exception as error:
            self.fail(error, callee, frame.scope)
            raise
        return self.complete(done, callee, frame.scope)

    def callee(self, frame: Frame) -> Frame:
        """Return a frame with an empty scope, in which the step will run.

        The parent scope is that of the caller with ``useParentScope``, else that of the task.
        """
        scope = _new_scope(Scope)
        scope.parent = frame.scope if self.nested else frame.run.scope
        return Frame(frame.run, frame, self.step, scope)

    def bind(self, callee: Frame, outer: Scope) -> None:
        """Evaluate the inputs in ``outer``, the scope of the caller, and set them in the scope of the step.

        ``callee`` is the frame of the step.
        """
        scope = callee.scope
        if self.plain is None:
            step = self.step
            scope.update(bind_inputs(self.inputs, outer, callee.run.scope, step.language != "python"))
            callee.dump("input", self.inputs, scope)
        else:
            for name, read in self.plain:
                scope[name] = read(outer)
        if self.views:
            scope["taskStepRt"] = scope["stepRt"] = StepView(callee)

    def complete(self, done: Completion, callee: Frame, outer: Scope) -> Completion:
        """End the call of a step that did not fail: export its outputs and return the completion for its container.

        Nothing is exported if the step suspended the run. Parameters: ``done`` is the completion of the step,
        ``callee`` its frame, ``outer`` the scope of the caller.
        """
        if done.suspended:
            return done
        if self.only_result and len(done.outputs) < 2:  # noqa: PLR2004 - one output is its RESULT, if anything
            outer[RESULT] = done.outputs.get(RESULT)
            return done
        done = self.exported(done, outer)
        if self.task_exports:
            self._export_to_task(callee, done.outputs)
        return done

    def fail(self, error: Exception, callee: Frame, outer: Scope) -> None:
        """Add a note with the path and location of the step to ``error``, the exception that the step raised.

        If ``error`` was raised because by-name inputs refer to unknown variables, raise an InputError that names them,
        with the same note; otherwise the method returns, and the caller raises ``error`` again.
        """
        failure = self._missing(error, outer)
        add_note(failure, StepNote(callee.path, self.step.at))
        if failure is not error:
            raise failure from None

    def exported(self, done: Completion, outer: Scope) -> Completion:
        """Set RESULT and the exported outputs in ``outer``, the scope of the caller; return the completion of the call.

        Outputs that the step does not declare are removed from the completion, except after the signal END. If the step
        has the attribute ``next`` and chose no other target, the returned completion jumps to that step.
        """
        outputs = done.outputs
        if len(outputs) > 1 and done.signal is not Signal.END and not outputs.keys() <= self.names:
            # undeclared outputs are not exported; with END they are the outputs of the task
            if self.exports_all:
                outer.update({name: value for name, value in outputs.items() if name != RESULT})
            else:
                outputs = {name: value for name, value in outputs.items() if name in self.names}
                done = done._replace(outputs=outputs)
        if not self.step.ignore_result:
            outer[RESULT] = outputs.get(RESULT)
        elif RESULT in outputs:
            outputs = {name: value for name, value in outputs.items() if name != RESULT}
            done = done._replace(outputs=outputs)
        for name, variable in self.exports:
            if name in outputs:
                outer[variable] = outputs[name]
        if self.jump is None or done.target is not None or done.signal is not Signal.NEXT:
            return done
        return jump_to(self.jump, outputs)

    def _missing(self, error: Exception, outer: Scope) -> Exception:
        """Return an InputError if by-name inputs refer to variables that ``outer`` does not have, else ``error``."""
        if not isinstance(error, UnknownVariableError) or not self.plain:
            return error
        missing = [item for item in self.inputs if item.by_name and not outer.has(item.name)]
        if not missing:
            return error
        return InputError([f"{item.describe()}: {unknown_variable(item.name, outer.names())}" for item in missing])

    def _export_to_task(self, callee: Frame, outputs: Any) -> None:
        """Set outputs with ``toTaskScope`` in the scope of the task; send an event for each output with ``dump``."""
        for item in self.task_exports:
            if item.name in outputs:
                value = outputs[item.name]
                if item.to_task_scope:
                    callee.run.scope[item.variable] = value
        callee.dump("output", self.task_exports, outputs)


def add_note(error: BaseException, note: StepNote) -> None:
    """Add a note to an exception, unless it has the same note already: a step may raise one exception object twice."""
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)


def reads_of(step: Step) -> frozenset[str]:
    """Return the names of the variables that the scripts of a step, its outputs and its decorators read."""
    names: set[str] = set()
    for script in scripts_of(step):
        names |= script.reads
    for output in step.outputs:
        for found in (output.source, output.value):
            if found is not None:
                names |= found.reads
    for item in step.decorators:
        for script in scripts_of(item):
            names |= script.reads
    return frozenset(names)
