"""Recorded leaf programs: in a recorded run, a step that is only a script is run and recorded by one coroutine.

Rules: the coroutine does what the decorators Call and Replay do around the script, when the step runs for the first
time. A step that has a record already, or has special settings, runs through these decorators. Outputs are exported
after the record of the step was committed.
"""

from __future__ import annotations

from typing import Any

from taskrun.core.completion import RESULT, Completion, completed, completion_of
from taskrun.core.control import RunAborted
from taskrun.core.frame import Frame
from taskrun.core.journal import StepRecord
from taskrun.core.scope import Scope
from taskrun.core.states import StepState
from taskrun.core.timers import now
from taskrun.core.weave import Program, RunAsync, Woven, around
from taskrun.decorators.implied.call import Call
from taskrun.decorators.implied.replay import Replay
from taskrun.errors import StoreError
from taskrun.optimize.leaf import AS_IT_IS, Parts, in_place, leaf_parts, own_scope, sole_output

_SUCCEEDED = StepState.SUCCEEDED
_new_scope = dict.__new__
_new_record = tuple.__new__


def recorded_leaf(call: Call, inner: Program) -> Program | None:
    """Return the recorded leaf program that does the same as ``call`` around ``inner``.

    None if there is none, because the step is more than a script or has special settings.
    """
    if not isinstance(inner, Woven) or not isinstance(inner.decorator, Replay):
        return None
    replay, step = inner.decorator, call.step
    if step.traits.has_compensation(step) or step.allow_start_if_complete or replay.hidden:
        return None
    parts = leaf_parts(call, inner.inner)
    return None if parts is None else Woven(call, inner, _run(call, replay, parts, around(call, inner)))


def _run(  # noqa: C901 - one piece, because function calls are most of the cost of a step
    call: Call, replay: Replay, parts: Parts, slow: RunAsync
) -> RunAsync:
    """Return the coroutine function of the program.

    ``slow`` runs the step through its decorators if that is necessary.
    """
    step, script, outputs = parts
    inputs: Any = call.plain
    name, nested, names, shared = step.name, call.nested, replay.input_names, replay.shared
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
            return await slow(frame)
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
            text = replay.text_of(done.outputs, key, recorder)
        except Exception as error:
            callee = Frame(owner, frame, step, scope)
            await replay.record_failure(error, callee, key, started)
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
