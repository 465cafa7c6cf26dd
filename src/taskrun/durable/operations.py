"""Operations on recorded runs: resume, rerun, cancel, suspend.

    manager = TaskManager(store="sqlite:///runs.db")
    result = manager.run("order.task.xml", {"order": 7})
    if result.status == "SUSPENDED":
        result = manager.runs.resume(result.run_id, {"approved": True})

Rules: the operations here accept the beginning of a run's id. Each one that executes steps exists twice: for programs
without an event loop and, with ``_async``, for use inside one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from taskrun.class_api import blocking
from taskrun.core.control import CANCEL, CANCEL_ONLY, SUSPEND
from taskrun.core.journal import StepRecord
from taskrun.core.run import Run
from taskrun.core.states import RunState
from taskrun.core.timers import now
from taskrun.durable.finish import result_of
from taskrun.durable.flow_source import FlowPath, FlowSource
from taskrun.durable.heartbeat import STALE_AFTER
from taskrun.durable.history import History, resolve_run_id
from taskrun.durable.recorder import Recorder
from taskrun.durable.records import RunRecord
from taskrun.durable.replay import inherited_records, records_to_replay
from taskrun.durable.resume_inputs import check_resume_inputs, resume_input_records, unrecorded_inputs, wait_points_of
from taskrun.durable.session import RunSession, check_idle
from taskrun.durable.store import Store, check_claim
from taskrun.durable.store_client import StoreClient
from taskrun.errors import (
    DecisionChangedError,
    RunCancelled,
    RunOwnedError,
    StoreError,
    TransitionError,
    UnknownRunError,
)
from taskrun.result import RunResult, WaitPoint

if TYPE_CHECKING:
    from taskrun.core.flow import Flow


class RunOperations(History):
    """The recorded runs of one TaskManager (``manager.runs``): lists, shows, resumes, cancels and deletes them.

    Parameters: ``client`` gives access to the store. ``flows`` compiles the flows of recorded runs. ``active`` are the
    runs that this TaskManager is executing, by id.
    """

    def __init__(self, client: StoreClient, flows: FlowSource, active: dict[str, Run]) -> None:
        self._client = client
        self._flows = flows
        self._active = active

    @property
    def store(self) -> Store:
        """The store of the runs; a TaskManager without the setting ``store`` has one in the memory of its process."""
        return self._client.store

    __call__: Final = History.runs

    def flow_of(self, run_id: str, flow: FlowPath | None = None) -> Flow:
        """Return the flow with which a run is resumed: that of the file ``flow``, by default the run's own flow."""
        return self._flows.flow_of(self._record_of(run_id), flow)[0]

    def waiting(self, run_id: str) -> tuple[WaitPoint, ...]:
        """Return the wait points of a run, with the inputs that they request; it has none unless it is suspended."""
        return wait_points_of(self._record_of(run_id))

    async def resume_async(
        self,
        run_id: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        flow: FlowPath | None = None,
        stale_after: float = STALE_AFTER,
    ) -> RunResult:
        """Continue a run that is suspended, has failed, or whose process has died; completed steps are not repeated.

        Parameters:
            run_id: the id of the run, or the beginning of it.
            inputs: those that the run waits for, and those with ``persist="false"``, which are never recorded.
            flow: a file to continue with instead of the run's own flow; its steps are matched with the records by path.
            stale_after: an owner that has sent no heartbeat for so many seconds counts as dead.

        If the run has already succeeded, its result is returned. Raises UnknownRunError, RunOwnedError if another
        process executes the run, TransitionError if it is over, InputError for wrong inputs (nothing has changed then),
        RunCancelled if its process died during a cancellation (which is finished now), and the exceptions of ``run``.
        """
        record = self._record_of(run_id)
        compiled, flow_changed = self._flows.flow_of(record, flow)
        values = dict(inputs or {})
        if record.state is RunState.SUCCEEDED and not values:
            outputs = self._client.codecs.loads(record.outputs or "{}")
            return result_of(compiled, record.run_id, outputs)
        check_resumable(record, compiled, stale_after)
        recorded = self._client.codecs.loads(record.inputs)
        private = unrecorded_inputs(compiled, values)
        resume_inputs = {name: value for name, value in values.items() if name not in private}
        input_records = self._input_records(record, compiled, resume_inputs, private)
        check_idle(self._active, record.run_id)
        run = self._run_of(record, compiled)
        with self._client.claimed(record.run_id, stale_after) as (epoch, present):
            if present.state is not record.state or epoch != record.epoch + 1:
                raise TransitionError(
                    f"run {record.run_id} was claimed by another process meanwhile: it is {present.state}"
                )
            records = records_to_replay(self.store.records(record.run_id), record.state)
            recorder = self._client.open_recorder(
                run, epoch, [*records, *input_records], flow_changed=flow_changed, resume_inputs=resume_inputs
            )  # fmt: skip
            await self._finish_cancellation(run, record)
            _mark_running(run, recorder, record, input_records)
            if flow_changed:
                recorder.write({"text": compiled.text, "path": compiled.path, "version": str(compiled.version or "")})
        try:
            return await RunSession(run, self._active, record).run({**recorded, **private})
        except (DecisionChangedError, StoreError):
            if (
                flow_changed and not recorder.is_broken
            ):  # the other flow does not match the records: restore the original one
                recorder.write({"text": record.text, "path": record.path, "version": record.version})
            raise

    async def rerun_async(
        self,
        run_id: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        from_step: str | None = None,
        flow: FlowPath | None = None,
        new_id: str | None = None,
    ) -> RunResult:
        """Start a new run that inherits records of an earlier one, and does not execute the recorded steps again.

        Parameters:
            run_id: the earlier run, which does not change.
            inputs: inputs that are different in the new run.
            from_step: the path of the first step to execute again, such as ``main/pay``; default: the step that failed.
            flow: a file to run instead of the flow of the earlier run.
            new_id: the id of the new run; default: a random one.

        Raises UnknownRunError, StoreError if there is no ``from_step`` or the run has not failed, TransitionError if
        the flow has ``restartable="false"``, and the exceptions of ``run``.
        """
        record = self._record_of(run_id)
        compiled, _ = self._flows.flow_of(record, flow)
        if not compiled.header.restartable:
            raise TransitionError(
                f"runs of '{compiled.name}' cannot be started again: the flow has restartable=\"false\""
            )
        inherited = inherited_records(self.store.records(record.run_id), record, from_step)
        run = Run(self._flows.services(compiled), compiled, run_id=new_id, flags=record.flags)
        inputs = {**self._client.codecs.loads(record.inputs), **(inputs or {})}
        self._client.create(run, inputs, inherited)
        return await RunSession(run, self._active).run(inputs)

    async def cancel_async(self, run_id: str, reason: str = "kill", *, revert: bool = True) -> bool:
        """Cancel a run: stop its running steps, and unless ``revert`` is False, compensate its completed steps.

        A run that this TaskManager executes, in any thread, is cancelled immediately. For a run of another process a
        request is stored, which its owner carries out. A run that no living process executes is rolled back by this
        call.

        Returns True if the run is or will be cancelled, False if there is no such run or it had ended for good.
        """
        live = self._cancel_active(run_id, reason, revert=revert)
        if live is not None:
            return live
        try:
            record = self._record_of(run_id)
        except UnknownRunError:
            return False
        kind = CANCEL if revert else CANCEL_ONLY
        try:
            with self._client.claimed(record.run_id, STALE_AFTER) as (epoch, present):
                self.store.request(record.run_id, kind)
                run = self._run_of(record, self._flows.flow_of(present, None)[0])
                self._client.open_recorder(run, epoch, self.store.records(record.run_id))
                await self._roll_back(run, present.state, revert=revert)
        except RunOwnedError:
            self.store.request(record.run_id, kind)
        except TransitionError:
            return False
        return True

    def cancel(self, run_id: str, reason: str = "kill", *, revert: bool = True) -> bool:
        """Cancel a run like ``cancel_async``; inside a running event loop, do so only for active runs.

        There it only stores a request for the owner, unless this TaskManager executes the run. Returns True if the run
        is or will be cancelled, False if there is no such run, or it cannot be cancelled.
        """
        live = self._cancel_active(run_id, reason, revert=revert)
        if live is not None:
            return live
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self.cancel_async(run_id, reason, revert=revert))
        return self._request(run_id, CANCEL if revert else CANCEL_ONLY)

    def suspend(self, run_id: str) -> bool:
        """Request that an active run is suspended: its running steps finish, no further ones start; it can be resumed.

        Returns True if the request was stored, False if there is no such run or it is not active.
        """
        return self._request(run_id, SUSPEND)

    resume: Final = blocking(resume_async)
    rerun: Final = blocking(rerun_async)

    def _record_of(self, run_id: str) -> RunRecord:
        """Return the record of a run, by its id or the beginning of its id."""
        return self.store.load(resolve_run_id(self.store, run_id))

    def _run_of(self, record: RunRecord, flow: Flow) -> Run:
        """Return a new Run object, in memory, for a recorded run; it has the id and flags of the record."""
        return Run(self._flows.services(flow), flow, run_id=record.run_id, flags=record.flags)

    def _input_records(
        self, record: RunRecord, flow: Flow, resume_inputs: Mapping[str, Any], private: Mapping[str, Any]
    ) -> tuple[StepRecord, ...]:
        """Check the inputs of a resume, and return the records that pass them to the wait points; raises InputError."""
        points = wait_points_of(record)
        run = self._run_of(record, flow)
        if any(
            point.requested for point in points
        ):  # the step of a wait point may be in a called task, whose flow is recorded
            self._client.open_recorder(run, record.epoch, self.store.records(record.run_id)).journal.close()
        check_resume_inputs(run, points, resume_inputs, private)
        return resume_input_records(run, points, resume_inputs, self._client.codecs)

    async def _finish_cancellation(self, run: Run, record: RunRecord) -> None:
        """If the process of the run died during a cancellation, finish that cancellation and raise RunCancelled."""
        requests = self.store.requests(record.run_id)
        kind = next((kind for kind in requests if kind in {CANCEL, CANCEL_ONLY}), None)
        if kind is not None and record.state.active:
            await self._roll_back(run, record.state, revert=kind == CANCEL)
            raise RunCancelled(f"run {record.run_id} was being cancelled when its process died; it is CANCELLED now")

    async def _roll_back(self, run: Run, state: RunState, *, revert: bool) -> None:
        """Roll back a run that no process executes and whose recorded state is ``state``; end it as CANCELLED."""
        run.state = state
        await RunSession(run, self._active).roll_back(revert=revert)

    def _request(self, run_id: str, kind: str) -> bool:
        """Store a request for the owner of an active run; return False if there is no such run or it is not active."""
        try:
            record = self._record_of(run_id)
        except UnknownRunError:
            return False
        if record.state.active:
            self.store.request(record.run_id, kind)
        return record.state.active

    def _cancel_active(self, run_id: str, reason: str, *, revert: bool) -> bool | None:
        """Cancel a run that this TaskManager executes; return None if there is none, False if it has just ended."""
        run = self._active.get(run_id)
        return None if run is None else run.control.cancel_threadsafe(reason, revert=revert)


def check_resumable(record: RunRecord, flow: Flow, stale_after: float) -> None:
    """Raise an exception if a run must not be resumed.

    TransitionError: the run is over, or it has failed and its flow has ``restartable="false"``. RunOwnedError: a
    process executes the run.
    """
    if record.state in _OVER:
        hint = "'taskrun rerun' starts a new run that inherits its records"
        raise TransitionError(f"run {record.run_id} is over: it is {record.state}", hint)
    if record.state in _FAILED and not flow.header.restartable:
        raise TransitionError(f'run {record.run_id} cannot be started again: its flow has restartable="false"')
    check_claim(record, now(), stale_after)


def _mark_running(run: Run, recorder: Recorder, record: RunRecord, input_records: tuple[StepRecord, ...]) -> None:
    """Record that a resumed run is RUNNING, with ``input_records``; one that was in a rollback stays REVERTING."""
    if record.state is RunState.REVERTING:
        run.state = record.state
    elif record.state is not RunState.RUNNING:
        recorder.write({"state": RunState.RUNNING, "error": None, "ended": None, "waits_for": None}, input_records)


_FAILED = frozenset({RunState.FAILED, RunState.TIMED_OUT})
_OVER = frozenset({RunState.SUCCEEDED, RunState.REVERTED, RunState.REVERT_FAILED, RunState.CANCELLED})
