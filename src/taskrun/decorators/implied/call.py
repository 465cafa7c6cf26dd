"""Round every step: open its scope, bind its inputs, run it, export its outputs, and say where to go next.

    RESULT of the caller's scope := the step's RESULT (not with ignoreResult="true")
    each declared output         := variable exportAs, or name, of the caller's scope (the task's with toTaskScope)

Rules: inputs are evaluated in the caller's scope, once. A failure passes through with a note that names the step and
its place; nothing is exported then. The step's ``next`` counts unless its completion says where to go.
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
    """The call of a step: inputs are its arguments, outputs its return values."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(may_suspend=False)

    step: Step
    nested: bool
    """Whether the step sees its caller's variables (``useParentScope``)."""
    inputs: tuple[Input, ...]
    plain: tuple[tuple[str, Callable[[Scope], Any]], ...] | None
    """The inputs, when none of them needs conversion or checks."""
    exports: tuple[tuple[str, str], ...]
    """Outputs that go to the caller's scope: their names and variables."""
    careful: tuple[Output, ...]
    """Outputs that go to the task's scope or are dumped."""
    names: frozenset[str]
    """What may leave the step: RESULT and its declared outputs."""
    open: bool
    """Whether whatever it returns is exported, because the step itself says what that is."""
    jump: str | None
    bare: bool
    """Whether there are neither outputs to export nor a place to go to, and the RESULT counts."""
    views: bool

    @classmethod
    def implied(cls, step: Step, settings: WeaveSettings) -> Call | None:
        """Round every step but the root."""
        if settings.root or settings.outermost is not None:
            return None
        inputs = tuple(item for item in step.inputs if not step.traits.requests(step, item))
        plain = all(item.plain for item in inputs) and step.language == "python"
        careful = tuple(item for item in step.outputs if item.to_task_scope or item.dump)
        return cls(
            step=step,
            nested=bool(step.use_parent_scope),
            inputs=inputs,
            plain=tuple((item.name, item.read) for item in inputs) if plain else None,
            exports=tuple((item.name, item.variable) for item in step.outputs if not item.to_task_scope),
            careful=careful,
            names=frozenset({RESULT, *(item.name for item in step.outputs)}),
            open=step.traits.provides(step, None) is None,
            jump=step.next if settings.jumps else None,
            bare=not (step.outputs or step.ignore_result or (settings.jumps and step.next)),
            views=not VIEWS.isdisjoint((*reads_of(step), *step.traits.reads_by_name(step))),
        )

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Call the step from the frame of its container."""
        callee = self.callee(frame)
        try:
            self.bind(callee, frame.scope)
            done = await inner(callee)
        except Exception as error:
            self.fail(error, callee, frame.scope)
            raise
        return self.leave(done, callee, frame.scope)

    def callee(self, frame: Frame) -> Frame:
        """Return the frame of the step, with a scope of its own."""
        scope = _new_scope(Scope)
        scope.parent = frame.scope if self.nested else frame.run.scope
        return Frame(frame.run, frame, self.step, scope)

    def bind(self, callee: Frame, outer: Scope) -> None:
        """Set the inputs in the step's scope."""
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

    def leave(self, done: Completion, callee: Frame, outer: Scope) -> Completion:
        """Return how the call ends, with everything exported."""
        if done.suspended:
            return done
        if self.bare and len(done.outputs) < 2:  # noqa: PLR2004 - one output is its RESULT, if anything
            outer[RESULT] = done.outputs.get(RESULT)
            return done
        done = self.exported(done, outer)
        if self.careful:
            self._export(callee, done.outputs)
        return done

    def fail(self, error: Exception, callee: Frame, outer: Scope) -> None:
        """Note where ``error`` came from; one about variables that inputs do not find is raised as an InputError."""
        failure = self._missing(error, outer)
        add_note(failure, StepNote(callee.path, self.step.at))
        if failure is not error:
            raise failure from None

    def exported(self, done: Completion, outer: Scope) -> Completion:
        """Return how the call ends for the caller, in whose scope RESULT and the exported outputs are set."""
        outputs = done.outputs
        if len(outputs) > 1 and done.signal is not Signal.END and not outputs.keys() <= self.names:
            # what the step does not declare does not leave it; what ends the task is the task's
            if self.open:
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
        """Return the error itself, or an InputError when it is about variables that by-name inputs do not find."""
        if not isinstance(error, UnknownVariableError) or not self.plain:
            return error
        missing = [item for item in self.inputs if item.by_name and not outer.has(item.name)]
        if not missing:
            return error
        return InputError([f"{item.describe()}: {unknown_variable(item.name, outer.names())}" for item in missing])

    def _export(self, callee: Frame, outputs: Any) -> None:
        for item in self.careful:
            if item.name in outputs:
                value = outputs[item.name]
                if item.to_task_scope:
                    callee.run.scope[item.variable] = value
        callee.dump("output", self.careful, outputs)


def add_note(error: BaseException, note: StepNote) -> None:
    """Add a note unless the exception carries it already (a step may raise one object twice)."""
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)


def reads_of(step: Step) -> frozenset[str]:
    """Return the names that the step's own scripts read."""
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
