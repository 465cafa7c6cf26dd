"""Perform compensations: roll back the completed steps of a container that failed or was cancelled, the newest first.

    <step name="pay">… <revert maxRetryCount="2" retryDelay="1s">bank.refund(result)</revert></step>

Rules: a container has a list of the compensations of its completed steps. When the container succeeds, the list is
appended to that of the enclosing container. When its body fails or is cancelled, the compensations are performed in
reverse order of completion; then the handlers of the container receive the failure. The values that a compensation
needs are recorded when its step ends, so that another process can perform it. A rollback is executed to its end
although the run is cancelled. If one compensation fails, the others are still performed, and no handler may catch the
failure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from taskrun.core.completion import Completion
from taskrun.core.control import RunAborted
from taskrun.core.frame import Frame
from taskrun.core.journal import StepRecord
from taskrun.core.rollback import Compensation
from taskrun.core.scope import Scope
from taskrun.core.states import RunState, StepState
from taskrun.core.timers import now
from taskrun.core.traceback_notes import StepNote
from taskrun.durable.step_paths import locate
from taskrun.errors import RevertError, RunCancelled, StoreError

if TYPE_CHECKING:
    from taskrun.core.run import Run
    from taskrun.core.step import Inner, Step


class CompensationFrame(Frame):
    """The frame in which the compensation of a step is executed; ``key`` is the path of this step in the run."""

    __slots__ = ("key",)

    key: str

    @property
    def path(self) -> str:
        """The path of the step whose work is undone."""
        return self.key


def register_compensation(
    frame: Frame, step: Step, values: Mapping[str, Any], done: Completion, record: StepRecord | None = None
) -> None:
    """Add the compensation of a completed step to the list of its container; ``frame`` is the frame of the step.

    ``values`` are the variables that the compensation reads. ``done`` is the completion of the step. ``record`` is the
    record of the step, None if it has none.
    """
    run = frame.run
    path = frame.path
    if record is not None and run.journal.recorded(path) is record:
        order = run.journal.order(path)
    else:
        run.rollback.completions += 1
        order = run.rollback.completions
    frame.compensations.append(Compensation(run, step, path, values, done, record, order))


async def with_compensation(frame: Frame, inner: Inner, index: int | None = None) -> Completion:
    """Run the body of a container, and compensate its completed steps if it fails or is cancelled.

    ``inner`` executes the body. ``index`` is the number of the body if the container has several (branches). Raises the
    failure of the body after the rollback. If an earlier process died during this rollback, the body is not run: only
    the rest of the rollback is performed.
    """
    run = frame.run
    outer = frame.compensations
    own: list[Compensation] = []
    record = frame.recorded("undo", index)
    if record is not None:  # the process died during the rollback
        failure: BaseException = run.journal.failure(record.error)
        path = record.key.removesuffix("undo").rstrip(":").rstrip("/")
        run.rollback.compensated.add(path)
        own.extend(recorded_compensations(run, path))
    else:
        frame.compensations = own
        if frame.parent is None:
            run.compensations = own
        try:
            done = await inner(frame)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - raised again below
            failure = error
        else:
            outer.extend(own)  # those of a suspended branch too: the other branches may fail
            run.rollback.forget(frame.path)  # the compensations of branches that the join did not need
            return done
        finally:
            frame.compensations = outer
    if run.is_aborted or (run.is_cancelled and not run.control.reverts):
        raise failure
    if own:
        await shielded(compensate_all(run, own, failure, frame.part_key("undo", index), record))
    if isinstance(failure, RunCancelled) and record is not None:
        await asyncio.Event().wait()  # the branch was cancelled before the crash and will be cancelled again
    raise failure


async def revert_partial_work(
    frame: Frame, work: Callable[[Exception], Coroutine[Any, Any, None]], error: BaseException
) -> None:
    """Call ``work`` to undo what a step has done before it failed or was cancelled with ``error``.

    ``work`` receives ``error``, or RunCancelled for a cancellation. Raises RevertError if ``work`` raises; no handler
    may catch the failure then.
    """
    run = frame.run
    failure = as_failure(error, run)
    try:
        await shielded(work(failure))
    except Exception as problem:  # noqa: BLE001 - raised together with the failure
        run.rollback.abort_error = RevertError.of(failure, [problem])
        raise run.rollback.abort_error from failure


def as_failure(error: BaseException, run: Run) -> Exception:
    """Return what compensations read as ``failure``: ``error`` itself, or RunCancelled for a cancellation."""
    if isinstance(error, Exception):
        return error
    reason = run.control.cancelled
    return RunCancelled(f"the run was cancelled ({reason})" if reason else "the step was cancelled")


async def compensate_all(
    run: Run, compensations: list[Compensation], failure: BaseException, key: str, begun: StepRecord | None = None
) -> None:
    """Perform compensations, the newest first, because of ``failure``; record the rollback and its outcome.

    ``key`` is the record key of the rollback. ``begun`` is the record with this key if an earlier process began the
    rollback. If compensations fail, the others are still performed; then RevertError is raised, which contains
    ``failure`` and all their failures.
    """
    journal, rollback = run.journal, run.rollback
    failure = as_failure(failure, run)
    if begun is None:
        error = journal.error_record(failure)
        begun = StepRecord(key, "undo", StepState.REVERTING, error=error, started=now())
        await journal.save(begun)
    if run.top.state is not RunState.REVERTING:
        await journal.set_state(RunState.REVERTING)
    run.top.state = RunState.REVERTING
    problems: list[Exception] = []
    for one in sorted(compensations, key=attrgetter("order"), reverse=True):
        try:
            await _compensate(one, failure)
        except Exception as problem:  # noqa: BLE001 - the other compensations are performed all the same
            problems.append(problem)
        if journal.problem is not None:  # the process that claimed the run performs the others
            raise RunAborted(journal.problem)
    state = StepState.REVERT_FAILED if problems else StepState.REVERTED
    journal.note(begun._replace(state=state, ended=now()))
    if problems:
        rollback.abort_error = RevertError.of(failure, problems)
        raise rollback.abort_error from failure


async def _compensate(one: Compensation, failure: Exception) -> None:
    """Perform one compensation because of ``failure``, record its outcome and emit its event; raises its exception.

    If it has failed in an earlier process, it is not repeated: its recorded exception is raised again.
    """
    run = one.run
    journal, record = run.journal, one.record
    run.rollback.compensated.add(one.key)
    if record is not None and record.state is StepState.REVERT_FAILED:
        raise journal.failure(record.error)
    frame = CompensationFrame(run, None, one.step, Scope(run.scope, **one.values))
    frame.key = one.key
    done = one.completion
    frame.scope.update(
        result=done.result, outputs=dict(done.outputs), failure=failure, failures=failures_by_path(failure)
    )
    started = asyncio.get_running_loop().time()
    state, problem = StepState.REVERTED, None
    try:
        await one.step.traits.compensate(one.step, frame, done)
    except Exception as error:
        error.add_note(StepNote(one.key, one.step.at))
        state, problem = StepState.REVERT_FAILED, error
        raise
    finally:
        if run.traced:
            text = None if problem is None else f"{type(problem).__name__}: {problem}"
            seconds = asyncio.get_running_loop().time() - started
            from taskrun.core.events import StepReverted

            run.emit(StepReverted(run.run_id, one.key, str(state), seconds, one.step.at, text))
        if record is not None and not journal.is_broken:
            error_record = None if problem is None else journal.error_record(problem)
            await journal.save(record._replace(state=state, error=error_record))


def recorded_compensations(run: Run, path: str, *, retry_failed: bool = False) -> list[Compensation]:
    """Return the compensations of the steps inside the step at ``path``, created from their records, the oldest first.

    A compensation that has failed before is not tried again (its recorded failure is raised), unless ``retry_failed``
    is True.
    """
    compensations = []
    journal = run.journal
    for record in journal.inside(path):
        if record.kind != "step" or record.inputs is None or record.state not in _COMPENSABLE:
            continue
        if retry_failed and record.state is StepState.REVERT_FAILED:
            record = record._replace(state=StepState.SUCCEEDED, error=None)  # noqa: PLW2901
        try:
            owner, step = locate(run.top, record.key)
        except StoreError as error:
            raise journal.abort(error) from None
        done = Completion(journal.value(record.outputs) or {})
        values = journal.value(record.inputs)
        compensations.append(Compensation(owner, step, record.key, values, done, record, journal.order(record.key)))
    return compensations


_COMPENSABLE = frozenset({StepState.SUCCEEDED, StepState.REVERT_FAILED})


def failures_by_path(failure: Exception) -> dict[str, Exception]:
    """Return the exceptions in ``failure`` by the path of the step that raised each.

    They are ``failure`` itself, or the members of an exception group. An exception without a StepNote, the note that
    names the step, is left out.
    """
    if isinstance(failure, ExceptionGroup):
        failures: dict[str, Exception] = {}
        for member in failure.exceptions:
            failures.update(failures_by_path(member))
        return failures
    note = next((note for note in getattr(failure, "__notes__", ()) if isinstance(note, StepNote)), None)
    return {note.path: failure} if note is not None else {}


async def shielded(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end even if the current task is cancelled meanwhile; then raise CancelledError."""
    task = asyncio.ensure_future(work)
    cancelled = await wait_for_end(task)
    task.result()
    if cancelled is not None:
        raise cancelled


async def wait_for_end(
    task: asyncio.Future[Any], on_cancel: Callable[[], None] | None = None
) -> asyncio.CancelledError | None:
    """Wait until another asyncio task has ended, even if the current task is cancelled meanwhile.

    ``on_cancel`` is called at each cancellation. Returns the last one, for the caller to raise; None without one.
    """
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as error:
            cancelled = error
            if on_cancel is not None:
                on_cancel()
    return cancelled


def may_handle(run: Run, error: BaseException) -> bool:
    """Return whether a handler of the flow may catch a failure.

    False if the run is aborted, or a compensation has failed.
    """
    return run.rollback.may_handle(error) and not run.is_aborted


def mark_handled(run: Run, path: str, handler: str = "") -> None:
    """Note that a handler caught the failure of the step at ``path``.

    If ``handler`` (its name) is not empty, this is recorded, so that a resume does not execute the failed step again. A
    run whose steps were compensated ends as REVERTED; the compensations inside this step no longer count for that,
    because their cause was handled.
    """
    journal, top = run.journal, run.top
    if handler and journal.records and journal.recorded(f"{path}:handled") is None:
        journal.note(StepRecord(f"{path}:handled", "decision", note=handler, ended=now()))
    run.rollback.forget(path)
    if top.state is RunState.REVERTING and not run.rollback.compensated:
        top.state = RunState.RUNNING
        journal.set_state_soon(RunState.RUNNING)
