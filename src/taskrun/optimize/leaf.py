"""Leaf programs: a step that is only a script, with its inputs and outputs, is run by one function.

    <step name="add"><input name="a"/><source>a + 1</source><output name="sum"/></step>

Rules: the function does what the decorators Call and Outputs do around the script, for steps that have no other
decorators and no special settings. It needs no frame and no coroutine. It needs no scope of its own either if the
script only reads by-name inputs and assigns nothing, because the scope of the caller has the same values. A frame is
created only when the script fails.

In a recorded run the function is a coroutine, which also does what the decorator Replay does when the step runs for the
first time. A step that has a record already, or has special settings, runs through the decorators. Outputs are exported
after the record of the step was committed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from taskrun.core.completion import RESULT, Completion, completed, completion_of
from taskrun.core.control import RunAborted
from taskrun.core.frame import Frame
from taskrun.core.journal import StepRecord
from taskrun.core.scope import Scope
from taskrun.core.states import StepState
from taskrun.core.step import Step
from taskrun.core.timers import now
from taskrun.core.weave import Program, RunAsync, RunSync, StepProgram, Woven, around
from taskrun.decorators.implied.call import Call
from taskrun.decorators.implied.outputs import Outputs
from taskrun.decorators.implied.replay import Replay
from taskrun.errors import StoreError
from taskrun.script.script import Script
from taskrun.steps.script import LanguageStep
from taskrun.steps.step import ScriptStep

AS_IT_IS: frozenset[type] = frozenset({bool, int, float, str, bytes, list, set})
"""Types whose values become RESULT unchanged; a mapping, null or a Completion has to be looked at instead."""

SCRIPTS: Mapping[type, Callable[[Any], Script | None]] = MappingProxyType(
    {ScriptStep: lambda step: step.source, LanguageStep: lambda step: step.source.function}
)
"""Step class → function that returns the script of a step, None if the step does more than to run a script."""

_SUCCEEDED = StepState.SUCCEEDED
_new_scope = dict.__new__
_new_record = tuple.__new__
Entry = TypeVar("Entry")


class Parts(NamedTuple):
    """What a leaf program is made from: a step, its script, and the decorator Outputs if the step declares outputs."""

    step: Step
    script: Script
    outputs: Outputs | None


def leaf(call: Call, inner: Program) -> Program | None:
    """Return the leaf program that does the same as ``call`` around ``inner``, None if there is none.

    There is none if ``inner`` is more than a script and its outputs.
    """
    parts = leaf_parts(call, inner)
    if parts is None:
        return None
    run_sync = _run_sync(call, parts)

    async def run(frame: Frame) -> Completion:
        return run_sync(frame)

    return Woven(call, inner, run, run_sync)


def leaf_parts(call: Call, inner: Program) -> Parts | None:
    """Return the parts of a step that is only a script with inputs and outputs, None if the step is more than that."""
    if call.plain is None or call.views or call.task_exports or call.jump is not None or call.step.ignore_result:
        return None
    outputs = None
    if isinstance(inner, Woven):
        if not isinstance(inner.decorator, Outputs):
            return None
        outputs, inner = inner.decorator, inner.inner
    if not isinstance(inner, StepProgram) or inner.moved:
        return None
    script_of = entry_for(SCRIPTS, type(inner.step), "run")
    script = None if script_of is None else script_of(inner.step)
    return None if script is None or script.suspends else Parts(inner.step, script, outputs)


def _run_sync(call: Call, parts: Parts) -> RunSync:
    """Return the plain function that runs a step with these parts."""
    step, script, outputs = parts
    inputs: Any = call.plain
    nested, exports = call.nested, call.exports
    is_in_place = in_place(step, script)
    sole = sole_output(outputs)
    rest = sole is None and (outputs is not None or bool(exports))
    variable = exports[0][1] if sole else ""
    as_it_is = AS_IT_IS

    def run_sync(frame: Frame) -> Completion:
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

    return run_sync


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
    return None if parts is None else Woven(call, inner, _run_recorded(call, replay, parts, around(call, inner)))


def _run_recorded(  # noqa: C901 - one piece, because function calls are most of the cost of a step
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


def in_place(step: Step, script: Script) -> bool:
    """Return whether the script can run in the scope of the caller, without a scope of its own.

    It can if it reads exactly the inputs, each input is the variable of the same name, and nothing is assigned.
    """
    names = {item.name for item in step.inputs}
    by_name = all(item.by_name for item in step.inputs)
    return by_name and script.reads == names and not script.stores and not script.uses and script.closed


def sole_output(outputs: Outputs | None) -> str | None:
    """Return the name of the only output if its value is simply the value of the script, else None."""
    if outputs is None or len(outputs.outputs) != 1:
        return None
    only = outputs.outputs[0]
    return (
        only.name if only.untouched and only.name != RESULT and only.name not in outputs.by_name.set_by_body else None
    )


def own_scope(scope: Scope, outer: Scope, frame: Frame, inputs: Any) -> Scope:
    """Return the scope of the step, for its outputs; it is created now if the script ran in the scope of the caller.

    ``outer`` is the scope of the caller, ``scope`` the one in which the script ran.
    """
    if scope is not outer:
        return scope
    own = Scope(frame.run.scope)
    for name, read in inputs:
        own[name] = read(outer)
    return own


def entry_for(table: Mapping[type, Entry], cls: type, method: str) -> Entry | None:
    """Return the table's entry for the class that defines ``method`` of ``cls``, None if it has no entry.

    A subclass that inherits the method gets the entry of its base class. One that overrides it gets none.
    """
    for owner in cls.__mro__:
        if method in vars(owner):
            return table.get(owner)
    return None
