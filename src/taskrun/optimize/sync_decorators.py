"""Fast paths of decorators: Call and Outputs around a program that needs no coroutine."""

from __future__ import annotations

from taskrun.core.completion import Completion
from taskrun.core.frame import Frame
from taskrun.core.scope import Scope
from taskrun.core.weave import Program, Woven
from taskrun.decorators.implied.call import Call
from taskrun.decorators.implied.outputs import Outputs

_new_scope = dict.__new__


def sync_outputs(outputs: Outputs, inner: Program) -> Program | None:
    """Return the program that evaluates the outputs without a coroutine, None if ``inner`` needs one."""
    run_inner, evaluated = inner.run_sync, outputs.evaluated
    if run_inner is None:
        return None

    def run_sync(frame: Frame) -> Completion:
        return evaluated(run_inner(frame), frame.scope)

    return Woven(outputs, inner, run_sync=run_sync)


def sync_call(call: Call, inner: Program) -> Program | None:
    """Return the program that calls a step without a coroutine, None if ``inner`` needs one."""
    run_inner = inner.run_sync
    if run_inner is None:
        return None
    step, nested = call.step, call.nested
    inputs = None if call.views else call.plain
    bind, leave, fail = call.bind, call.leave, call.fail

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
        return leave(done, callee, outer)

    return Woven(call, inner, run_sync=run_sync)
