"""Fast paths of containers and of the decorators that every step has: they run without a coroutine.

The containers are bodies, sequences, ``<if>`` and ``<choose>``; the decorators are Call and Outputs.

Rules: a program has a fast path if each program inside it has one. There are two exceptions, because other tasks of the
event loop must be able to run. A body of ``TURN`` or more steps has no fast path, nor has a ``<choose>`` with a ``to``,
which may jump back for ever.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from taskrun.core.body import TURN, Body, with_result
from taskrun.core.completion import NEXT, Completion, Signal
from taskrun.core.frame import Frame
from taskrun.core.scope import Scope
from taskrun.core.weave import Program, RunSync, Woven
from taskrun.decorators.implied.call import Call
from taskrun.decorators.implied.outputs import Outputs
from taskrun.steps.choose import Choose
from taskrun.steps.if_step import If
from taskrun.steps.sequence import Sequence

_NEXT = Signal.NEXT
_new_scope = dict.__new__


def body_of(steps: tuple[Program, ...]) -> Body:
    """Return a body of optimized programs; it has a fast path if all ``steps`` have one and are fewer than ``TURN``."""
    body = replace(Body.of_programs(steps), syncs=tuple(step.run_sync for step in steps))
    return body if None in body.syncs or len(steps) >= TURN else replace(body, run_sync=_sync_body(body))


def _sync_body(body: Body) -> RunSync:
    """Return the fast path of a body whose steps all have one."""
    syncs: Any = body.syncs
    count = len(syncs)

    def run_sync(frame: Frame) -> Completion:
        position = 0
        frame.begin_visits()
        done = NEXT
        while position < count:
            done = syncs[position](frame)
            if done.signal is not _NEXT:
                return done if done.signal is not Signal.EXIT else Completion(done.outputs)
            position += 1
            if done.target is not None:
                position = body.jump(done.target, frame, position)
            elif frame.visits is not None:
                body.visit(frame, position)
        return with_result(done, frame)

    return run_sync


def sync_sequence(step: Sequence) -> RunSync | None:
    """Return the fast path of a sequence: that of its body; None if the body has none."""
    return step.steps.run_sync


def sync_if(step: If) -> RunSync | None:
    """Return the fast path of an ``<if>``, None if one of its two bodies has none."""
    branches: tuple[Any, ...] = (step.then, step.else_)
    if any(branch is not None and branch.run_sync is None for branch in branches):
        return None
    then, otherwise = (None if branch is None else branch.run_sync for branch in branches)
    condition = step.condition

    def run_sync(frame: Frame) -> Completion:
        run_branch = then if condition.run(frame.scope) else otherwise
        return NEXT if run_branch is None else run_branch(frame)

    return run_sync


def sync_choose(step: Choose) -> RunSync | None:
    """Return the fast path of a ``<choose>``, None if one of its cases has none or has the attribute ``to``."""
    cases: tuple[Any, ...] = step.case
    others: tuple[Any, ...] = () if step.otherwise is None else (step.otherwise,)
    if any(branch.run_sync is None or branch.model.to for branch in (*cases, *others)):
        return None
    by_match = {case.model.match: case.run_sync for case in reversed(cases)}
    otherwise = others[0].run_sync if others else None
    decision = step.decision

    def run_sync(frame: Frame) -> Completion:
        run_branch = by_match.get(decision(frame), otherwise)
        return NEXT if run_branch is None else run_branch(frame)

    return run_sync


def sync_outputs(outputs: Outputs, inner: Program) -> Program | None:
    """Return a program whose fast path runs ``inner`` and evaluates the outputs.

    None if ``inner`` has no fast path.
    """
    run_inner, evaluated = inner.run_sync, outputs.evaluated
    if run_inner is None:
        return None

    def run_sync(frame: Frame) -> Completion:
        return evaluated(run_inner(frame), frame.scope)

    return Woven(outputs, inner, run_sync=run_sync)


def sync_call(call: Call, inner: Program) -> Program | None:
    """Return a program whose fast path calls the step: creates its scope, sets the inputs, exports the outputs.

    None if ``inner`` has no fast path.
    """
    run_inner = inner.run_sync
    if run_inner is None:
        return None
    step, nested = call.step, call.nested
    inputs = None if call.views else call.plain
    bind, complete, fail = call.bind, call.complete, call.fail

    def run_sync(frame: Frame) -> Completion:
        outer, run = frame.scope, frame.run
        scope = _new_scope(Scope)
        scope.parent = outer if nested else run.scope
        callee = Frame(run, frame, step, scope)
        try:
            if inputs is None:
                bind(callee, outer)
            else:
                for name, read in inputs:
                    scope[name] = read(outer)
            done = run_inner(callee)
        except Exception as error:
            fail(error, callee, outer)
            raise
        return complete(done, callee, outer)

    return Woven(call, inner, run_sync=run_sync)
