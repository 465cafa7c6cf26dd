"""Undoing: what a failure or a cancellation leaves behind is put back, newest first.

    <step name="pay">… <revert maxRetryCount="2" retryDelay="1s">bank.refund(result)</revert></step>

Rules: a container keeps the list of what its completed steps can undo. When it succeeds, the list joins that of the
container round it; when a failure or a cancellation leaves its body, the list is run in reverse order of completion,
before any handler of the container sees the failure. What an undoing needs is kept when its step ends, as values, so
that another process can do it. Undoing is shielded from cancellation. An undoing that fails does not stop the others; the
failure of the run then passes every handler.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from taskrun.core.abort import RunAborted
from taskrun.core.completion import Completion
from taskrun.core.events import StepReverted
from taskrun.core.frame import Frame
from taskrun.core.scope import Scope
from taskrun.core.states import RunState, StepState
from taskrun.core.traceback_notes import StepNote
from taskrun.durable.recorder import now
from taskrun.durable.records import StepRecord
from taskrun.durable.step_paths import locate
from taskrun.errors import RevertError, RunCancelled, StoreError

if TYPE_CHECKING:
    from taskrun.core.run import Run
    from taskrun.core.step import Inner, Step


class Compensation(NamedTuple):
    """What can undo one completed step: ``values`` are the variables that it needs."""

    run: Run
    step: Step
    key: str
    values: Mapping[str, Any]
    done: Completion
    record: StepRecord | None = None
    """What is recorded of the step, if anything."""
    order: int = 0
    """Where it stands among the completions of the run; what was recalled comes before all others."""


class CompensationFrame(Frame):
    """The frame of an undoing: the place of the step that is undone."""

    __slots__ = ("key",)

    key: str

    @property
    def path(self) -> str:
        """The path of the step that is undone."""
        return self.key


def register(
    frame: Frame, step: Step, values: Mapping[str, Any], done: Completion, record: StepRecord | None = None
) -> None:
    """Put a completed step on the list of its container."""
    top, recorder = frame.run.top, frame.run.recorder
    if recorder is not None and recorder.recorded(frame.path) is record is not None:
        order = recorder.journal.order(frame.path)
    else:
        top.completions += 1
        order = top.completions
    frame.undo.append(Compensation(frame.run, step, frame.path, values, done, record, order))


async def with_compensation(frame: Frame, inner: Inner, index: int | None = None) -> Completion:
    """Run the body of a container; undo what its steps did when it fails or is cancelled.

    ``index`` is the number of the branch where there are several.
    """
    outer = frame.undo
    own: list[Compensation] = []
    recorder = frame.run.recorder
    key = frame.part("undo", index) if recorder else ""
    record = recorder.recorded(key) if recorder else None
    if record is not None and recorder is not None:  # the process died while it undid
        failure: BaseException = recorder.failure(record.error)
        path = key.removesuffix("undo").rstrip(":").rstrip("/")
        frame.run.top.undone.add(path)
        own.extend(recorded_compensations(frame.run, path))
    else:
        frame.undo = own
        if frame.parent is None:
            frame.run.undo = own
        try:
            done = await inner(frame)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - raised again below
            failure = error
        else:
            outer.extend(own)  # those of a branch that is suspended too: the others may fail
            _forget_undone(frame.run.top, frame.path)  # of branches that were not needed
            return done
        finally:
            frame.undo = outer
    top = frame.run.top
    if frame.run.lost or (top.is_cancelled and not top.reverts):
        raise failure
    if own:
        await shielded(compensate_all(frame.run, own, failure, key, record))
    if isinstance(failure, RunCancelled) and record is not None:
        await asyncio.Event().wait()  # the branch had been cancelled; so it will be again
    raise failure


async def revert_partial_work(
    frame: Frame, work: Callable[[Exception], Coroutine[Any, Any, None]], error: BaseException
) -> None:
    """Let a step that has failed, or was cancelled, undo what it had done so far; raises RevertError when that fails."""
    top = frame.run.top
    failure = as_failure(error, top)
    try:
        await shielded(work(failure))
    except Exception as problem:  # noqa: BLE001 - raised with the failure
        top.doomed = RevertError.of(failure, [problem])
        raise top.doomed from failure


def as_failure(error: BaseException, top: Run) -> Exception:
    """Return what an undoing is told of the failure, or of the cancellation, that began it."""
    if isinstance(error, Exception):
        return error
    return RunCancelled(f"the run was cancelled ({top.cancelled})" if top.cancelled else "the step was cancelled")


async def compensate_all(
    run: Run, undos: list[Compensation], failure: BaseException, key: str, begun: StepRecord | None = None
) -> None:
    """Compensation steps, the last one first; raises RevertError with the failure and what went wrong in undoing.

    ``key`` is where it is recorded that undoing began, ``begun`` that record when it began in an earlier process.
    """
    top = run.top
    failure = as_failure(failure, top)
    recorder = run.recorder
    if recorder is not None and begun is None:
        error = recorder.error(failure)
        begun = StepRecord(key, "undo", StepState.REVERTING, error=error, started=now())
        await recorder.save(begun)
    if recorder is not None and top.state is not RunState.REVERTING:
        await recorder.change({"state": RunState.REVERTING})
    top.state = RunState.REVERTING
    problems: list[Exception] = []
    for one in sorted(undos, key=attrgetter("order"), reverse=True):
        try:
            await _undo(one, failure)
        except Exception as problem:  # noqa: BLE001 - the others are undone all the same
            problems.append(problem)
        if recorder is not None and recorder.problem is not None:  # others undo the rest, if the run was taken over
            raise RunAborted(recorder.problem)
    if recorder is not None and begun is not None:
        state = StepState.REVERT_FAILED if problems else StepState.REVERTED
        recorder.note(begun._replace(state=state, ended=now()))
    if problems:
        top.doomed = RevertError.of(failure, problems)
        raise top.doomed from failure


async def _undo(one: Compensation, failure: Exception) -> None:
    run, top = one.run, one.run.top
    recorder = run.recorder
    known = one.record
    if known is not None and known.state is StepState.REVERT_FAILED and recorder is not None:
        top.undone.add(one.key)
        raise recorder.failure(known.error)
    frame = CompensationFrame(run, None, one.step, Scope(run.scope, **one.values))
    frame.key = one.key
    done = one.done
    frame.scope.update(
        result=done.result, outputs=dict(done.outputs), failure=failure, failures=failures_by_path(failure)
    )
    started = asyncio.get_running_loop().time()
    state, problem = StepState.REVERTED, None
    top.undone.add(one.key)
    try:
        await one.step.undo(frame, done)
    except Exception as error:
        error.add_note(StepNote(one.key, one.step.at))
        state, problem = StepState.REVERT_FAILED, error
        raise
    finally:
        if run.traced:
            text = None if problem is None else f"{type(problem).__name__}: {problem}"
            seconds = asyncio.get_running_loop().time() - started
            run.emit(StepReverted(run.run_id, one.key, str(state), seconds, one.step.at, text))
        if recorder is not None and known is not None and not recorder.lost:
            error_record = None if problem is None else recorder.error(problem)
            await recorder.save(known._replace(state=state, error=error_record))


def recorded_compensations(run: Run, path: str, *, again: bool = False) -> list[Compensation]:
    """Return what can undo the steps inside the one at ``path``, in the order in which they were completed.

    ``again``: what could not be undone is tried once more.
    """
    found = []
    recorder = run.recorder
    for record in recorder.journal.under(path) if recorder else ():
        if record.kind != "step" or record.inputs is None or record.state not in _LEFT or recorder is None:
            continue
        if again and record.state is StepState.REVERT_FAILED:
            record = record._replace(state=StepState.SUCCEEDED, error=None)  # noqa: PLW2901
        try:
            owner, step = locate(run.top, record.key)
        except StoreError as error:
            raise recorder.stop(error) from None
        done = Completion(recorder.value(record.outputs) or {})
        order = recorder.journal.order(record.key)
        found.append(Compensation(owner, step, record.key, recorder.value(record.inputs), done, record, order))
    return found


_LEFT = frozenset({StepState.SUCCEEDED, StepState.REVERT_FAILED})


def failures_by_path(failure: Exception) -> dict[str, Exception]:
    """Return the failures that began the with_compensation by the path of the step that failed."""
    if isinstance(failure, ExceptionGroup):
        found: dict[str, Exception] = {}
        for member in failure.exceptions:
            found.update(failures_by_path(member))
        return found
    note = next((note for note in getattr(failure, "__notes__", ()) if isinstance(note, StepNote)), None)
    return {note.path: failure} if note is not None else {}


async def shielded(work: Coroutine[Any, Any, None]) -> None:
    """Run something to its end however often it is cancelled; the cancellation is raised afterwards."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as error:
            cancelled = error
    task.result()
    if cancelled is not None:
        raise cancelled


def held(run: Run, error: BaseException, path: str, how: str = "") -> bool:
    """Whether a handler may hold a failure: not when the whole run has to be undone because of it.

    ``path`` is the step that failed, and ``how`` what holds its failure, where that is to be recorded.
    """
    top = run.top
    recorder = run.recorder
    if top.doomed is not None or isinstance(error, RunAborted) or run.lost:
        return False
    if recorder is not None and how and recorder.recorded(f"{path}:handled") is None:
        recorder.note(StepRecord(f"{path}:handled", "decision", note=how, ended=now()))
    _forget_undone(top, path)
    if top.state is RunState.REVERTING and not top.undone:
        top.state = RunState.RUNNING
        if recorder is not None:
            recorder.journal.change_soon({"state": RunState.RUNNING})
    return True


def _forget_undone(top: Run, path: str) -> None:
    """What was undone inside a step that goes on does not make a failure of the run one that was undone."""
    if top.undone:
        top.undone = {key for key in top.undone if not is_inside(key, path)}


def is_inside(key: str, path: str) -> bool:
    """Whether a key is that of the step at a path, of one of its visits and attempts, or of something in it."""
    return key == path or key.startswith((f"{path}/", f"{path}[", f"{path}~", f"{path}#"))
