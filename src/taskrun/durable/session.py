"""RunSession: executes one run, recorded or not, from its start to its end.

Rules: a recorded run is executed by one process at a time, its owner, which has claimed it under a new epoch. During a
session, the run can be cancelled by its id. If steps of the flow have compensations, the run is executed in an asyncio
task of its own. Then a cancellation of the task that awaits the run is noticed before the rollback begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from taskrun.core.completion import Completion, Signal
from taskrun.core.control import RunAborted
from taskrun.core.execution import execute, failed_step, run_error, state_after
from taskrun.core.run import Run
from taskrun.core.states import RunState
from taskrun.durable.compensation import compensate_all, recorded_compensations, shielded, wait_for_end
from taskrun.durable.finish import Finish, result_of
from taskrun.durable.heartbeat import Heartbeat
from taskrun.durable.recorder import Recorder, find_recorder
from taskrun.durable.records import RunRecord
from taskrun.durable.store_client import StoreClient
from taskrun.errors import InputError, RevertError, RunCancelled, UnsavableValueError
from taskrun.result import RunResult


class RunSession:
    """Session of one run: starts it, executes it and records how it ended.

    Parameters: ``active`` are the runs that the TaskManager is executing, by id; the run is in it during the session.
    ``before`` is the record that a resumed run had before the resume.
    """

    __slots__ = ("_active", "_finish", "_run")

    def __init__(self, run: Run, active: dict[str, Run], before: RunRecord | None = None) -> None:
        self._run = run
        self._active = active
        self._finish = Finish(run, before)

    async def run(self, inputs: Mapping[str, Any], client: StoreClient | None = None) -> RunResult:
        """Execute the run until it ends or is suspended, record that, and return the result.

        ``client`` creates the record of a new run that is to be recorded. It is None if the run is not recorded, or
        already has a record. Raises the exceptions of ``TaskManager.run``.
        """
        run = self._run
        check_idle(self._active, run.run_id)
        recorder = find_recorder(run) if client is None else client.create(run, inputs)
        run.control.task = asyncio.current_task()  # before the run is active, so that it can always be cancelled
        if recorder is not None:
            with self._owned(recorder):
                return await (self._execute_apart if run.flow.compensates else self._execute)(inputs, recorder)
        self._active[run.run_id] = run
        try:
            return await self._execute(inputs, None)
        finally:
            run.control.task = None
            del self._active[run.run_id]

    async def roll_back(self, *, revert: bool) -> None:
        """End a recorded run that no process executes as CANCELLED, after compensating its completed steps.

        With ``revert=False`` no step is compensated. Raises StepError if a compensation fails; the run is REVERT_FAILED
        then. If the current asyncio task is cancelled meanwhile, CancelledError is raised after the end of the run.
        """
        run = self._run
        recorder = find_recorder(run)
        assert recorder is not None  # noqa: S101 - only recorded runs outlive their process
        state, problem, cancelled = RunState.CANCELLED, None, None
        with self._owned(recorder):
            run.control.cancelled = "kill"
            compensations = recorded_compensations(run, "main", retry_failed=True) if revert else []
            if compensations:
                try:
                    await shielded(compensate_all(run, compensations, asyncio.CancelledError(), "main:undo"))
                except RevertError as error:
                    state, problem = RunState.REVERT_FAILED, error
                except asyncio.CancelledError as error:
                    cancelled = error
            self._finish.end(state, problem)
        if cancelled is not None:
            raise cancelled
        if problem is not None:
            raise run_error(problem, run) from problem

    @contextmanager
    def _owned(self, recorder: Recorder) -> Iterator[None]:
        """Make the run active and renew its lease in the block of a ``with``; close its journal after the block.

        If the run is aborted in the block, the error that aborted it is raised.
        """
        run = self._run
        self._active[run.run_id] = run
        heartbeat = Heartbeat(run.control, recorder.journal)
        heartbeat.start()
        try:
            yield
        except RunAborted as aborted:
            raise aborted.error from aborted.error.__cause__
        finally:
            run.control.task = None
            heartbeat.stop()
            recorder.journal.close()
            del self._active[run.run_id]

    async def _execute_apart(self, inputs: Mapping[str, Any], recorder: Recorder) -> RunResult:
        """Execute the run in an asyncio task of its own, and return its result.

        If the task that awaits the run is cancelled, the run is cancelled too, its compensations are performed, and
        CancelledError is raised at the end.
        """
        control = self._run.control
        task = control.task = asyncio.ensure_future(self._execute(inputs, recorder))
        return self._result_of(task, await wait_for_end(task, control.cancel))

    def _result_of(self, task: asyncio.Task[RunResult], cancelled: asyncio.CancelledError | None) -> RunResult:
        """Return the result of the asyncio task that has executed the run, or raise its error.

        If the awaiting task was cancelled, ``cancelled`` is its error and is raised. If the asyncio task was cancelled
        before it began to execute the run, the run is recorded as CANCELLED here.
        """
        if task.cancelled() and self._run.state is not RunState.CANCELLED:
            reason = self._cancelled()
            raise cancelled or reason
        if cancelled is not None:
            if not task.cancelled():
                task.exception()  # mark it as retrieved: the awaiting task was cancelled
            raise cancelled
        return task.result()

    async def _execute(self, inputs: Mapping[str, Any], recorder: Recorder | None) -> RunResult:
        """Execute the run in the current asyncio task and record how it ended; return its result or raise its error."""
        run, finish = self._run, self._finish
        task = run.control.task
        cancellations = task.cancelling() if task else 0
        try:
            if recorder is not None:
                await asyncio.sleep(0)  # runs that start at the same time share their commits
            done = await execute(run, inputs)
            if recorder is not None:
                await self._check_outputs(done, recorder)
        except asyncio.CancelledError:
            if run.journal.problem is not None:
                finish.aborted(run.journal.problem)
                raise RunAborted(run.journal.problem) from None
            reason = self._cancelled()
            if run.control.cancelled is None or (task and task.uncancel() > cancellations):
                raise  # the awaiting task was cancelled, not only the run
            raise reason from None
        except RunAborted as aborted:
            finish.aborted(aborted.error)
            raise
        except Exception as error:
            if isinstance(error, InputError) and failed_step(error) is None and finish.withdraw():
                raise
            finish.end(state_after(run, error), error)
            raise run_error(error, run) from error
        if done.signal is Signal.SUSPEND:
            return finish.suspended()
        finish.end(RunState.SUCCEEDED, outputs=done.outputs)
        return result_of(run.flow, run.run_id, done.outputs)

    def _cancelled(self) -> RunCancelled:
        """Record that the run was cancelled, and return the RunCancelled to raise for the caller of the run."""
        reason = RunCancelled(f"the run was cancelled ({self._run.control.cancelled or 'kill'})")
        self._finish.end(RunState.CANCELLED, reason)
        return reason

    async def _check_outputs(self, done: Completion, recorder: Recorder) -> None:
        """Check that the outputs of the run, whose completion is ``done``, can be recorded.

        If they cannot, the run fails as if a step had failed: its steps are compensated, and UnsavableValueError is
        raised.
        """
        if done.suspended:
            return
        run = self._run
        try:
            self._finish.outputs_text(recorder, done.outputs)
        except UnsavableValueError as error:  # the run fails as it would if a step had failed
            if run.compensations:
                await shielded(compensate_all(run, run.compensations, error, "main:undo"))
            raise


def check_idle(active: Mapping[str, Run], run_id: str) -> None:
    """Raise ValueError if this TaskManager is already executing a run with this id."""
    if run_id in active:
        raise ValueError(f"a run with the id '{run_id}' is being executed")
