"""Execute a run: bind its inputs, run the program, return its outputs.

Rules: the state in which a run ends is determined here, and the events RunStarted and RunFinished are reported here.
The exception of a failed run is raised unchanged. If a run is cancelled just after its last step has succeeded, it
still ends as CANCELLED.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from taskrun.core.completion import RESULT, Completion, Signal, completed
from taskrun.core.frame import Frame
from taskrun.core.inputs import bind_task_inputs
from taskrun.core.run import Run
from taskrun.core.script_views import VIEWS, StepView
from taskrun.core.states import RunState
from taskrun.core.traceback_notes import StepNote
from taskrun.errors import FlowError, InputError, RevertError, StepError, StepTimeout


async def execute(run: Run, inputs: Mapping[str, Any]) -> Completion:
    """Execute a run and return its completion: the declared outputs of the task, and RESULT.

    If the run is suspended, the completion has the signal SUSPEND. Raises InputError if ``inputs`` are wrong; an
    exception that no handler of the flow stops is raised unchanged.
    """
    flow = run.flow
    started = 0.0
    if run.traced:
        started = asyncio.get_running_loop().time()
        from taskrun.core.events import RunStarted

        run.emit(RunStarted(run.run_id, flow.name, flow.path, run.called_from))
    status, failure = RunState.FAILED, None
    try:
        bind_task_inputs(flow.model.inputs, inputs, run.scope)
        frame = Frame(run, None, flow.model, run.scope)
        run.base.update(dict.fromkeys(VIEWS, StepView(frame)))
        frame.dump("input", flow.model.inputs, run.scope)
        program = flow.program(run.traced, run.journal.records, run.services.check_mutation)
        done = await program.run(frame) if program.run_sync is None else program.run_sync(frame)
        if run.is_cancelled:
            await asyncio.sleep(0)  # the last step had ended before asyncio raised CancelledError in it
        if done.signal is Signal.SUSPEND:
            status = RunState.SUSPENDED
            return done
        frame.dump("output", flow.model.outputs, done.outputs)
        status = RunState.SUCCEEDED
        return _outputs(flow.model.outputs, done)
    except asyncio.CancelledError:
        status = RunState.CANCELLED
        raise
    except BaseException as error:
        failure = error
        status = state_after(run, error)
        raise
    finally:
        for problem in run.close():
            run.report(f"the destroyMethod of a bean failed: {problem!r}")
        if run.traced:
            text = None if failure is None else f"{type(failure).__name__}: {failure}"
            from taskrun.core.events import RunFinished

            run.emit(RunFinished(run.run_id, flow.name, str(status), asyncio.get_running_loop().time() - started, text))


def state_after(run: Run, error: BaseException) -> RunState:
    """Return the state in which a run ends that failed with ``error``.

    REVERT_FAILED if a compensation failed, REVERTED if steps were compensated, TIMED_OUT after a StepTimeout, else
    FAILED.
    """
    if isinstance(error, RevertError):
        return RunState.REVERT_FAILED
    if run.rollback.compensated:
        return RunState.REVERTED
    return RunState.TIMED_OUT if isinstance(error, StepTimeout) else RunState.FAILED


def _outputs(declared: tuple[Any, ...], done: Completion) -> Completion:
    """Return the completion of a task, which has only its declared outputs and RESULT; a missing output is null."""
    found = done.outputs.get
    outputs = {item.name: found(item.name) for item in declared}
    if RESULT not in outputs:
        outputs[RESULT] = found(RESULT)
    return completed(outputs)


def failed_step(error: BaseException) -> StepNote | None:
    """Return the note of the innermost step through which an exception propagated, None if there is none."""
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, StepNote):
            return note
    return None


def run_error(error: Exception, run: Run) -> Exception:
    """Return the exception for the caller of a failed run: a StepError with path and location of the failed step.

    An InputError or FlowError that no step raised is returned unchanged, because the run itself was called wrongly.
    """
    first = error.exceptions[0] if isinstance(error, RevertError) else error
    note = failed_step(first)
    if note is None and isinstance(error, InputError | FlowError):
        return error
    path, location = (note.path, note.location) if note is not None else ("main", run.flow.model.at)
    text = f"{path} failed: {type(first).__name__}: {first}"
    if isinstance(error, RevertError):
        text += f"; {len(error.exceptions) - 1} of its compensations failed"
    return StepError(text, path, location, state_after(run, error))
