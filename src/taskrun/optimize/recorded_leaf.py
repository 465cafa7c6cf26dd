"""A step that is nothing but a script, in a recorded run: Call round Replay round the script as one coroutine.

Rules: it does what these do, for the first time that such a step is run; what has been recorded before, and whatever is
special about the step, is left to them. The outputs are exported when the record is committed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from taskrun.core.completion import RESULT, Completion, completed, completion_of
from taskrun.core.control import RunAborted
from taskrun.core.frame import Frame
from taskrun.core.journal import StepRecord
from taskrun.core.scope import Scope
from taskrun.core.states import StepState
from taskrun.core.timers import now
from taskrun.core.weave import Program, Woven
from taskrun.decorators.implied.outputs import Outputs
from taskrun.errors import StoreError
from taskrun.optimize.leaf import AS_IT_IS, in_place, own_scope, sole_output

if TYPE_CHECKING:
    from taskrun.decorators.implied.call import Call
    from taskrun.decorators.implied.replay import Replay

_SUCCEEDED = StepState.SUCCEEDED
_new_scope = dict.__new__
_new_record = tuple.__new__


class RecordedLeaf(Woven):
    """A Call round a recorded step that is a script."""

    __slots__ = ()

    def __init__(self, call: Call, inner: Woven) -> None:
        super().__init__(call, inner)
        recall: Any = inner.decorator
        self.run = _function(call, recall, inner.inner, self.run)


def recorded(call: Call, inner: Woven) -> Program | None:
    """Return the leaf that does the same as ``call`` round ``inner``, None when there is more to do."""
    step, recall = call.step, inner.decorator
    special = step.undoes or step.allow_start_if_complete or recall.hidden  # type: ignore[attr-defined]
    return None if special else RecordedLeaf(call, inner)


def _function(  # noqa: C901 - in one piece, because calls are what a step costs
    call: Call, recall: Replay, inner: Program, slow: Callable[[Frame], Any]
) -> Callable[[Frame], Awaitable[Completion]]:
    step = call.step
    outputs: Any = inner.decorator if isinstance(inner, Woven) else None
    assert outputs is None or isinstance(outputs, Outputs)  # noqa: S101 - fused looked
    script: Any = step.function
    inputs: Any = call.plain
    name, nested, names, shared = step.name, call.nested, recall.input_names, recall.shared
    is_in_place = in_place(step, script)
    sole = sole_output(outputs)
    variable = call.exports[0][1] if sole else ""
    simple = sole is not None or (outputs is None and not call.exports)
    as_it_is, run_script = AS_IT_IS, script.run

    async def run(frame: Frame) -> Completion:  # noqa: C901 - likewise
        owner = frame.run
        recorder: Any = owner.journal
        key = frame.path_of(name)
        if recorder.recorded(key) is not None or owner.control.suspending or frame.step.persis_vars:
            return await slow(frame)  # type: ignore[no-any-return]
        started = now()
        outer = scope = frame.scope
        try:
            if not is_in_place:
                scope = _new_scope(Scope)
                scope.parent = outer if nested else owner.scope
                for read_name, read in inputs:
                    scope[read_name] = read(outer)
            value = run_script(scope)
            short = simple and value.__class__ in as_it_is
            if short:
                done = completed({RESULT: value} if sole is None else {RESULT: value, sole: value})
            else:
                done = completion_of(value)
                if outputs is not None:
                    done = outputs.evaluated(done, own_scope(scope, outer, frame, inputs))
            text = recall.text_of(done.outputs, key, recorder)
        except Exception as error:
            callee = Frame(owner, frame, step, scope)
            await recall.failed(error, callee, key, started)
            call.fail(error, callee, outer)
            raise
        record = _new_record(
            StepRecord,
            (key, "step", _SUCCEEDED, 1, names, text, done.signal, done.target, None, "", started, now(), None),
        )
        journal = recorder.journal
        try:
            if shared or not journal.group.alone:
                await journal.saved(record)
            else:
                journal.save_now(record)
        except StoreError as error:
            raise RunAborted(error) from error
        if not short:
            return call.exported(done, outer)
        outer[RESULT] = value
        if sole is not None:
            outer[variable] = value
        return done

    return run
