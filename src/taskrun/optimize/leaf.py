"""A step that is nothing but a script, with its inputs and outputs, as one plain function.

    <step name="add"><input name="a"/><source>a + 1</source><output name="sum"/></step>

Rules: it does what Call round Outputs round the script does, for steps of which nobody asked more than that; whatever is
special about a value is left to these two. No frame, no coroutine; no scope of its own where the script reads its inputs
as they are and assigns nothing, because then the caller's scope is the same to it. The frame is made when it fails.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from taskrun.core.completion import RESULT, Completion, completed, completion_of
from taskrun.core.frame import Frame
from taskrun.core.scope import Scope
from taskrun.core.step import Step
from taskrun.core.weave import Program, Woven
from taskrun.decorators.implied.outputs import Outputs
from taskrun.decorators.implied.replay import Replay

if TYPE_CHECKING:
    from taskrun.decorators.implied.call import Call
    from taskrun.script.script import Script

AS_IT_IS: frozenset[type] = frozenset({bool, int, float, str, bytes, list, set})
"""Types of values that an output takes as they are: not looked into by name, not null, not a Completion."""

_new_scope = dict.__new__


class Leaf(Woven):
    """A Call round a step that is a script, run without suspending."""

    __slots__ = ()

    def __init__(self, call: Call, inner: Program) -> None:
        super().__init__(call, inner)
        outputs = inner.decorator if isinstance(inner, Woven) else None
        assert outputs is None or isinstance(outputs, Outputs)  # noqa: S101 - fused looked
        now = self.now = _function(call, outputs, inner.model)

        async def run(frame: Frame) -> Completion:
            return now(frame)

        self.run = run


def fused(call: Call, inner: Program) -> Program | None:
    """Return the leaf that does the same as ``call`` round ``inner``, None when there is more to do."""
    if isinstance(inner, Woven) and isinstance(inner.decorator, Replay):
        from taskrun.optimize.recorded_leaf import recorded

        return recorded(call, inner) if is_leaf(call, inner.inner) else None
    return Leaf(call, inner) if is_leaf(call, inner) else None


def is_leaf(call: Call, inner: Program) -> bool:
    """Whether a step is nothing but a script, of which nobody asked more than inputs and outputs."""
    bare: Any = inner
    if isinstance(inner, Woven):
        if not isinstance(inner.decorator, Outputs):
            return False
        bare = inner.inner
    step = call.step
    plain = isinstance(bare, Step) and bare.function is not None and not bare.function.suspends
    return plain and not (
        call.plain is None or call.views or call.careful or call.jump is not None or step.ignore_result
    )


def _function(call: Call, outputs: Outputs | None, step: Step) -> Callable[[Frame], Completion]:
    script: Any = step.function
    inputs: Any = call.plain
    nested, exports = call.nested, call.exports
    is_in_place = in_place(step, script)
    sole = sole_output(outputs)
    rest = sole is None and (outputs is not None or bool(exports))
    variable = exports[0][1] if sole else ""
    as_it_is = AS_IT_IS

    def now(frame: Frame) -> Completion:
        outer = scope = frame.scope
        try:
            if not is_in_place:
                scope = _new_scope(Scope)
                scope.parent = outer if nested else frame.run.scope
                for name, read in inputs:
                    scope[name] = read(outer)
            value = script.run(scope)
            if value.__class__ in as_it_is and not rest:
                outer[RESULT] = value
                if sole is None:
                    return completed({RESULT: value})
                outer[variable] = value
                return completed({RESULT: value, sole: value})
            done = completion_of(value)
            if outputs is not None:
                done = outputs.evaluated(done, own_scope(scope, outer, frame, inputs))
        except Exception as error:
            call.fail(error, Frame(frame.run, frame, step, scope), outer)
            raise
        return call.exported(done, outer)

    return now


def in_place(step: Step, script: Script) -> bool:
    """Whether the script is the same in the scope of the caller: all it reads are by-name inputs, and it sets nothing."""
    names = {item.name for item in step.inputs}
    by_name = all(item.by_name for item in step.inputs)
    return by_name and script.reads == names and not script.stores and not script.uses and script.closed


def sole_output(outputs: Outputs | None) -> str | None:
    """Return the name of the only output when it takes the script's value."""
    if outputs is None or len(outputs.outputs) != 1:
        return None
    only = outputs.outputs[0]
    return (
        only.name if only.untouched and only.name != RESULT and only.name not in outputs.by_name.set_by_body else None
    )


def own_scope(scope: Scope, outer: Scope, frame: Frame, inputs: Any) -> Scope:
    """Return the step's own scope, which a script that ran in the caller's has not had."""
    if scope is not outer:
        return scope
    own = Scope(frame.run.scope)
    for name, read in inputs:
        own[name] = read(outer)
    return own
