"""What a TaskManager does with runs that are recorded: resume, start again, cancel, suspend.

    manager = TaskManager(store="sqlite:///runs.db")
    result = manager.run("order.task.xml", {"order": 7})
    if result.status == "SUSPENDED":
        result = manager.resume(result.run_id, {"approved": True})

Rules: each call is there for programs without an event loop and, with ``_async``, for those inside one. A run is named by
its id or by the beginning of it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskrun.class_api import OnClassToo
from taskrun.core.run import Run
from taskrun.core.states import RunState
from taskrun.durable.finish import result_of
from taskrun.durable.heartbeat import CANCEL, CANCEL_ONLY, STALE_AFTER, SUSPEND
from taskrun.durable.history import History, resolve_run_id
from taskrun.durable.records import RunRecord
from taskrun.durable.rerun import inherited_records
from taskrun.durable.resume_inputs import check_answers, given, secrets, wait_points_of
from taskrun.durable.session import (
    asked_to_cancel,
    check_resumable,
    perform,
    records_to_replay,
    refuse_in_loop,
    undo_run,
    unreadable,
)
from taskrun.durable.store import Store
from taskrun.durable.suspension import WaitPoint
from taskrun.errors import (
    DecisionChangedError,
    FlowError,
    RunCancelled,
    RunOwnedError,
    StoreError,
    TransitionError,
    UnknownRunError,
)

if TYPE_CHECKING:
    from taskrun.compile.flow_cache import FlowCache
    from taskrun.core.flow import Flow
    from taskrun.core.services import Services
    from taskrun.durable.session import StoreClient
    from taskrun.result import RunResult

Path_ = str | os.PathLike[str]


class RunOperations(History):
    """The part of TaskManager that is about recorded runs."""

    _durable: StoreClient
    _active: dict[str, Run]
    flows: FlowCache

    def load(self, path: Path_) -> Flow:
        """Return the compiled flow of a file."""
        raise NotImplementedError

    def _services_for(self, flow: Flow) -> Services:
        raise NotImplementedError

    @property
    def store(self) -> Store:
        """Where runs are recorded; without the setting ``store``, memory that this TaskManager has for itself."""
        return self._durable.store

    def flow_of(self, run_id: str, flow: Path_ | None = None) -> Flow:
        """Return the flow that a run goes on with: that of the file ``flow``, else the one that it began with."""
        return self._flow_of(self.store.load(resolve_run_id(self.store, run_id)), flow)[0]

    def waiting(self, run_id: str) -> tuple[WaitPoint, ...]:
        """Return what a run waits for, nothing when it is not suspended."""
        return wait_points_of(self.store.load(resolve_run_id(self.store, run_id)))

    @OnClassToo
    def resume(
        self,
        run_id: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        flow: Path_ | None = None,
        stale_after: float = STALE_AFTER,
    ) -> RunResult:
        """Go on with a run that is suspended, has failed, or whose process has died; what was done is not done again.

        Parameters:
            run_id: the run's id, or the beginning of it.
            inputs: what the run waits for, and inputs that are not recorded (``persist="false"``).
            flow: a file to go on with instead of the flow that the run began with; steps are matched by path.
            stale_after: seconds without a sign of life after which the owner counts as dead where that is not known.

        Raises UnknownRunError, RunOwnedError when somebody works on the run, TransitionError when it is over, InputError for wrong
        inputs (and then nothing has changed), and what ``run`` raises. A run that has succeeded gives its result; one that
        was being cancelled when its process died is undone and raises RunCancelled.
        """
        refuse_in_loop("resume")
        return asyncio.run(self.resume_async(run_id, inputs, flow=flow, stale_after=stale_after))

    @OnClassToo
    async def resume_async(
        self,
        run_id: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        flow: Path_ | None = None,
        stale_after: float = STALE_AFTER,
    ) -> RunResult:
        """Do what ``resume`` does, inside the running event loop."""
        record = self.store.load(resolve_run_id(self.store, run_id))
        compiled, other = self._flow_of(record, flow)
        values = dict(inputs or {})
        if record.state is RunState.SUCCEEDED and not values:
            outputs = self._durable.codecs.loads(record.outputs or "{}")
            return result_of(compiled, record.run_id, outputs)
        check_resumable(record, compiled, stale_after)
        kept = self._durable.codecs.loads(record.inputs)
        again = secrets(compiled, values)
        answers = {name: value for name, value in values.items() if name not in again}
        places = wait_points_of(record)
        earlier = self._earlier(record, compiled, places)
        check_answers(earlier, places, answers, again)
        told = given(earlier, places, answers, self._durable.codecs)
        run = Run(self._services_for(compiled), compiled, run_id=record.run_id, flags=record.flags, answers=answers)
        run.before = record
        self._check_idle(run.run_id)
        with self._durable.claimed(record.run_id, stale_after) as (epoch, present):
            if present.state is not record.state or epoch != record.epoch + 1:
                raise TransitionError(f"run {record.run_id} was taken up meanwhile: it is {present.state}")
            records = records_to_replay(self.store.records(record.run_id), record.state)
            recorder = self._durable.reopen(run, epoch, [*records, *told], other_flow=other)
            how = asked_to_cancel(self.store, record.run_id)
            if how is not None and record.state.active:
                await self._undo(run, record.state, revert=how == CANCEL)
                text = f"run {record.run_id} was being cancelled when its process died; it is CANCELLED now"
                raise RunCancelled(text)
            if record.state is RunState.REVERTING:
                run.state = record.state
            elif record.state is not RunState.RUNNING:
                recorder.write({"state": RunState.RUNNING, "error": None, "ended": None, "waits_for": None}, told)
            if other:
                recorder.write({"text": compiled.text, "path": compiled.path, "version": str(compiled.version or "")})
        try:
            return await self._going(run, {**kept, **again})
        except (DecisionChangedError, StoreError):
            if other and not recorder.lost:  # the other flow does not fit: the run keeps its own
                recorder.write({"text": record.text, "path": record.path, "version": record.version})
            raise

    def _earlier(self, record: RunRecord, flow: Flow, places: tuple[WaitPoint, ...]) -> Run:
        """Return a run to look at: it belongs to nobody here. Where it asks for something it has its records."""
        run = Run(self._services_for(flow), flow, run_id=record.run_id, flags=record.flags)
        if any(place.asked for place in places):
            self._durable.reopen(run, record.epoch, self.store.records(record.run_id)).journal.close()
        return run

    @OnClassToo
    def rerun(
        self,
        run_id: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        from_step: str | None = None,
        flow: Path_ | None = None,
        new_id: str | None = None,
    ) -> RunResult:
        """Start a new run that takes over what an earlier one had done before a step, or before its failure.

        Parameters:
            run_id: the earlier run, which stays as it is.
            inputs: inputs that are different in the new run.
            from_step: the path of the step to begin with, such as ``main/pay``; default: the one that failed.
            flow: a file to run instead of the flow of the earlier run.
            new_id: the id of the new run; default: one that nobody has.

        Raises UnknownRunError, StoreError when there is no such step or nothing failed, and what ``run`` raises.
        """
        refuse_in_loop("rerun")
        return asyncio.run(self.rerun_async(run_id, inputs, from_step=from_step, flow=flow, new_id=new_id))

    @OnClassToo
    async def rerun_async(
        self,
        run_id: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        from_step: str | None = None,
        flow: Path_ | None = None,
        new_id: str | None = None,
    ) -> RunResult:
        """Do what ``rerun`` does, inside the running event loop."""
        record = self.store.load(resolve_run_id(self.store, run_id))
        compiled, _ = self._flow_of(record, flow)
        if not compiled.header.restartable:
            raise TransitionError(
                f"runs of '{compiled.name}' cannot be started again: the flow says restartable=\"false\""
            )
        records = inherited_records(self.store.records(record.run_id), record, from_step)
        run = Run(self._services_for(compiled), compiled, run_id=new_id, flags=record.flags)
        inputs = {**self._durable.codecs.loads(record.inputs), **(inputs or {})}
        self._durable.begin(run, inputs, records)
        return await self._going(run, inputs)

    @OnClassToo
    def cancel(self, run_id: str, reason: str = "kill", *, revert: bool = True) -> bool:
        """Cancel a run: its running steps are stopped now and what was done is undone, unless ``revert`` is false.

        A run of this TaskManager, which may be in another thread, or one in the store: of its owner it is asked; when
        that is dead, or the run stands still, it is undone here before this returns (``cancel_async`` inside a loop).

        Returns whether there was such a run that was not over.
        """
        live = self._cancel_here(run_id, reason, revert=revert)
        if live is not None:
            return live
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self.cancel_async(run_id, reason, revert=revert))
        return self._ask(run_id, CANCEL if revert else CANCEL_ONLY)

    @OnClassToo
    async def cancel_async(self, run_id: str, reason: str = "kill", *, revert: bool = True) -> bool:
        """Do what ``cancel`` does, inside the running event loop."""
        live = self._cancel_here(run_id, reason, revert=revert)
        if live is not None:
            return live
        try:
            record = self.store.load(resolve_run_id(self.store, run_id))
        except UnknownRunError:
            return False
        kind = CANCEL if revert else CANCEL_ONLY
        try:
            with self._durable.claimed(record.run_id, STALE_AFTER) as (epoch, present):
                self.store.request(record.run_id, kind)
                compiled, _ = self._flow_of(present, None)
                run = Run(self._services_for(compiled), compiled, run_id=record.run_id, flags=record.flags)
                self._durable.reopen(run, epoch, self.store.records(record.run_id))
                await self._undo(run, present.state, revert=revert)
        except RunOwnedError:
            self.store.request(record.run_id, kind)
        except TransitionError:
            return False
        return True

    @OnClassToo
    def suspend(self, run_id: str) -> bool:
        """Ask a run to stop where it is: running steps finish, no new ones start, and it can be resumed.

        Returns whether there was such a run at work.
        """
        return self._ask(run_id, SUSPEND)

    def _ask(self, run_id: str, kind: str) -> bool:
        try:
            found = resolve_run_id(self.store, run_id)
        except UnknownRunError:
            return False
        if not self.store.load(found).state.active:
            return False
        self.store.request(found, kind)
        return True

    def _cancel_here(self, run_id: str, reason: str, *, revert: bool) -> bool | None:
        run = self._active.get(run_id)
        return None if run is None else run.cancel_from_elsewhere(reason, revert=revert)

    async def _going(self, run: Run, inputs: Mapping[str, Any]) -> RunResult:
        """Perform a run, which can be cancelled by its id meanwhile."""
        self._check_idle(run.run_id)
        run.task, self._active[run.run_id] = asyncio.current_task(), run  # who cancels it is heard from now on
        try:
            return await perform(run, inputs)
        finally:
            del self._active[run.run_id]

    def _check_idle(self, run_id: str) -> None:
        """Raise ValueError when a run of that id is one of those that are going on here."""
        if run_id in self._active:
            raise ValueError(f"a run with the id '{run_id}' is going on")

    async def _undo(self, run: Run, state: RunState, *, revert: bool) -> None:
        """Compensation what a run has done on which nobody works, as one of the active runs; ``state`` is where it stands."""
        run.state = state
        self._active[run.run_id] = run
        try:
            await undo_run(run, revert=revert)
        finally:
            del self._active[run.run_id]
            if run.recorder is not None:
                run.recorder.journal.close()

    def _flow_of(self, record: RunRecord, file: Path_ | None) -> tuple[Flow, bool]:
        """Return the flow to go on with, and whether it is another than the run began with."""
        if file is not None:
            flow = self.load(file)
            return flow, flow.text != record.text
        try:
            if Path(record.path).is_file() and (flow := self.load(record.path)).text == record.text:
                return flow, False
        except FlowError:
            pass  # the file is wrong now: what counts is the flow that was recorded
        try:
            return self.flows.compile_text(record.path, record.text), False
        except FlowError as error:
            raise unreadable(record, error) from error
