"""Recorded runs: how they begin, end, go on in another process, and are undone.

Rules: a run belongs to one process at a time, which claims it under a new epoch. What a resumed run has done before is
recalled from its records; it is the same program that runs. A run is resumed with the flow that it began with, whatever
has become of the file.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from taskrun.codec.codec import Codec, Codecs
from taskrun.codec.script_views import RESULT_CODECS
from taskrun.core.abort import RunAborted
from taskrun.core.completion import Completion, Signal
from taskrun.core.execution import execute, failed_step, run_error, state_after
from taskrun.core.flow import Flow
from taskrun.core.run import Run
from taskrun.core.states import RunState, StepState
from taskrun.durable.compensation import compensate_all, recorded_compensations, shielded
from taskrun.durable.finish import end, finish_aborted, result_of, text_of
from taskrun.durable.heartbeat import CANCEL, CANCEL_ONLY, Heartbeat
from taskrun.durable.journal import CommitGroups, Journal
from taskrun.durable.recorder import Recorder, now
from taskrun.durable.records import Owner, RunRecord, StepRecord
from taskrun.durable.store import Store, check_claim
from taskrun.errors import InputError, RevertError, RunCancelled, StoreError, TransitionError, UnsavableValueError
from taskrun.result import RunResult


class StoreClient:
    """The recorded runs of one TaskManager: its store, and the values that it can save.

    ``codecs`` are for types of values that are not known; ``permits`` says which modules may be imported to find the
    class of a recorded value.
    """

    def __init__(self, store: Store | str, codecs: Iterable[Codec], permits: Any) -> None:
        if isinstance(store, os.PathLike | bytes | int):
            raise TypeError(f"store is {store!r}, neither a Store nor a URL such as 'sqlite:///runs.db'")
        self._store = store
        self._lock = threading.Lock()
        self._opened = False
        self._groups: CommitGroups | None = None
        self.codecs = Codecs((*RESULT_CODECS, *codecs), permits)
        self.permits = permits

    @property
    def store(self) -> Store:
        """The store; one that is named by a URL is opened when it is first needed."""
        if isinstance(self._store, str):
            from taskrun.stores.open import open_store

            with self._lock:
                if isinstance(self._store, str):  # else another thread was faster
                    self._store = open_store(self._store)
                    self._opened = True
        return self._store

    def close(self) -> None:
        """Close the store if it was opened here."""
        if self._opened:
            self.store.close()

    def begin(self, run: Run, inputs: Mapping[str, Any], inherited_records: Iterable[StepRecord] = ()) -> None:
        """Write a new run down and give it a recorder; ``inherited_records`` are records of another run."""
        flow = run.flow
        hidden = {item.name for item in flow.model.inputs if not item.persist}
        kept = {name: value for name, value in inputs.items() if name not in hidden}
        records = tuple(inherited_records)
        self.store.create(
            RunRecord(
                run_id=run.run_id, flow=flow.name, version=str(flow.version or ""), path=flow.path, text=flow.text,
                state=RunState.RUNNING, owner=Owner.here(), heartbeat=now(), created=now(), started=now(),
                flags=run.flags, inputs=Recorder.given(self.codecs, kept),
            )
        )  # fmt: skip
        run.recorder = self._recorder(run.run_id, 1, records)
        if not records:
            return
        try:
            self.store.write(run.run_id, 1, records)
        except BaseException:
            run.recorder.journal.close()
            with suppress(StoreError):  # else it would look as if this process worked on it
                self.store.delete(run.run_id)
            raise

    @contextmanager
    def claimed(self, run_id: str, stale_after: float) -> Iterator[tuple[int, RunRecord]]:
        """Make this process the owner of a run: give the new epoch and the run as it stands; raises RunOwnedError.

        When the block fails the run is given up again, so that others need not wait for the end of this process.
        """
        epoch = self.store.claim(run_id, Owner.here(), now(), stale_after)
        try:
            yield epoch, self.store.load(run_id)
        except BaseException as error:
            with suppress(StoreError):  # it has ended meanwhile, or cannot be written
                self.store.write(run_id, epoch, (), {"owner": None})
            if isinstance(error, RunAborted):
                raise error.error from error.error.__cause__
            raise

    def reopen(self, run: Run, epoch: int, records: Iterable[StepRecord], *, other_flow: bool = False) -> Recorder:
        """Give a run that goes on a recorder with its records, and return that."""
        run.recorder = recorder = self._recorder(run.run_id, epoch, records, other_flow=other_flow)
        return recorder

    def _recorder(
        self, run_id: str, epoch: int, records: Iterable[StepRecord], *, other_flow: bool = False
    ) -> Recorder:
        if self._groups is None:
            self._groups = CommitGroups(self.store)
        journal = Journal(self.store, run_id, epoch, records, self._groups.here())
        return Recorder(journal, self.codecs, self.permits, other_flow=other_flow)


def refuse_in_loop(name: str) -> None:
    """Raise RuntimeError inside a running event loop, where what is for programs without one cannot wait."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(f"TaskManager.{name}() inside a running event loop: use await TaskManager.{name}_async()")


async def perform(run: Run, inputs: Mapping[str, Any]) -> RunResult:
    """Run to the end, the next place where it waits, or its failure, and write down which."""
    keeper = None
    if run.recorder is not None:
        keeper = Heartbeat(run, run.recorder)
        keeper.start()
    try:
        return await (_apart(run, inputs) if run.recorder and run.flow.undoes else _performed(run, inputs))
    except RunAborted as stopped:
        raise stopped.error from stopped.error.__cause__
    finally:
        run.task = None  # who cancels it now is late
        if keeper is not None:
            keeper.stop()
        if run.recorder is not None:
            run.recorder.journal.close()


async def _apart(run: Run, inputs: Mapping[str, Any]) -> RunResult:
    """Perform in a task of its own, so that a cancellation from outside is known as such before anything is undone."""
    task = run.task = asyncio.ensure_future(_performed(run, inputs))
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as error:
            cancelled = error
            run.cancel()
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # seen: who waited for it is not interested any more
        raise cancelled
    result: RunResult = await task
    return result


async def _executed(run: Run, inputs: Mapping[str, Any]) -> Completion:
    if run.recorder is not None:
        await asyncio.sleep(0)  # runs that begin at the same time begin together, and share their commits
    done = await execute(run, inputs)
    if run.recorder is not None and not done.suspended:
        try:
            text_of(run, done.outputs)
        except UnsavableValueError as error:  # the run fails as it would have done inside
            if run.undo:
                await shielded(compensate_all(run, run.undo, error, "main:undo"))
            raise
    return done


async def _performed(run: Run, inputs: Mapping[str, Any]) -> RunResult:
    task = run.task = asyncio.current_task()
    others = task.cancelling() if task else 0
    try:
        done = await _executed(run, inputs)
    except asyncio.CancelledError:
        if run.recorder is not None and run.recorder.problem is not None:
            raise finish_aborted(run, RunAborted(run.recorder.problem)) from None
        reason = RunCancelled(f"the run was cancelled ({run.cancelled or 'kill'})")
        end(run, RunState.CANCELLED, reason)
        if run.cancelled is None or (task and task.uncancel() > others):
            raise  # not only the run was cancelled, but also what awaits it
        raise reason from None
    except RunAborted as stopped:
        raise finish_aborted(run, stopped) from stopped.__cause__
    except InputError as error:
        if failed_step(error) is None and run.recorder is not None and not run.recorder.journal.replays:
            run.recorder.journal.store.delete(run.run_id)  # it never began
            raise
        end(run, state_after(run, error), error)
        raise run_error(error, run) from error
    except Exception as error:
        end(run, state_after(run, error), error)
        raise run_error(error, run) from error
    if done.signal is Signal.SUSPEND:
        end(run, RunState.SUSPENDED)
        return RunResult({}, RunState.SUSPENDED, run.run_id, None, tuple(run.waiting))
    end(run, RunState.SUCCEEDED, outputs=done.outputs)
    return result_of(run.flow, run.run_id, done.outputs)


async def undo_run(run: Run, *, revert: bool) -> RunState:
    """Compensation all that a run has done that nobody works on, and end it as CANCELLED, or as REVERT_FAILED."""
    state, problem = RunState.CANCELLED, None
    keeper = Heartbeat(run, run.recorder) if run.recorder else None
    if keeper is not None:
        keeper.start()
    try:
        if revert:
            run.cancelled = "kill"
            undos = recorded_compensations(run, "main", again=True)
            if undos:
                await shielded(compensate_all(run, undos, asyncio.CancelledError(), "main:undo"))
    except RevertError as error:
        state, problem = RunState.REVERT_FAILED, error
    except RunAborted as stopped:
        raise stopped.error from stopped.error.__cause__
    finally:
        if keeper is not None:
            keeper.stop()
    end(run, state, problem)
    if problem is not None:
        raise run_error(problem, run) from problem
    return state


def records_to_replay(records: Iterable[StepRecord], state: RunState) -> list[StepRecord]:
    """Return the records that a run which goes on recalls: after a failure, the steps that failed are done again."""
    found = list(records)
    if state not in {RunState.FAILED, RunState.TIMED_OUT}:
        return found
    handled = {record.key.removesuffix(":handled") for record in found if record.key.endswith(":handled")}
    failed = {StepState.FAILED, StepState.TIMED_OUT}
    return [
        record._replace(state=StepState.RUNNING)
        if record.kind == "step" and record.state in failed and record.key not in handled
        else record
        for record in found
        if record.state is not StepState.CANCELLED
    ]


def asked_to_cancel(store: Store, run_id: str) -> str | None:
    """Return how somebody asked for the end of a run, None when nobody did."""
    return next((kind for kind in store.requests(run_id) if kind in {CANCEL, CANCEL_ONLY}), None)


def unreadable(record: RunRecord, problem: Exception) -> StoreError:
    """Return the error about a run whose recorded flow cannot be compiled."""
    return StoreError(
        f"the flow of run {record.run_id} cannot be compiled here: {problem}", "resume it with --flow FILE"
    )


def check_resumable(record: RunRecord, flow: Flow, stale_after: float) -> None:
    """Raise TransitionError when a run cannot go on, because it is over or its flow forbids it; RunOwnedError when it does go on."""
    if record.state in _OVER:
        hint = "'taskrun rerun' starts a new run that takes over what was done"
        raise TransitionError(f"run {record.run_id} is over: it is {record.state}", hint)
    if record.state in _FAILED and not flow.header.restartable:
        raise TransitionError(f'run {record.run_id} cannot be started again: its flow says restartable="false"')
    check_claim(record, now(), stale_after)  # RunOwnedError, before what was given is looked at


_FAILED = frozenset({RunState.FAILED, RunState.TIMED_OUT})
_OVER = frozenset({RunState.SUCCEEDED, RunState.REVERTED, RunState.REVERT_FAILED, RunState.CANCELLED})
