"""Round every step of a recorded run: a step that was done before is not done again.

Rules: outside of the step's limits and retries, inside of ``allowFailure`` and ``nextOnError``. Success and failure are both
recorded and committed before the run goes on; a resumed run gets the same outputs, or the same failure. A step that was
cancelled because a join was decided waits until that happens again. What the step needs for being undone is recorded
with it. ``saveState="false"`` keeps a step out of this, ``allowStartIfComplete="true"`` does it again when the run is resumed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from taskrun.core.completion import RESULT, Completion, Signal
from taskrun.core.control import RunAborted
from taskrun.core.frame import Frame
from taskrun.core.journal import StepRecord
from taskrun.core.outputs import unrecorded
from taskrun.core.rollback import is_inside
from taskrun.core.states import StepState
from taskrun.core.step import ImpliedDecorator, Inner, Step, decorator, walk
from taskrun.core.timers import now
from taskrun.core.weave import WeaveSettings
from taskrun.durable.compensation import recorded_compensations, register_compensation
from taskrun.durable.recorder import Recorder
from taskrun.errors import DecisionChangedError, RevertError, StepTimeout, UnsavableValueError

PASSES_ALL = "it passes every handler"
"""The note of a failure that undoes the whole run."""
UNDONE = "what the steps inside had done is undone"
"""The note of the failure of a container."""


@decorator("replay", rank=97)
class Replay(ImpliedDecorator):
    """The record of a step."""

    step: Step
    input_names: tuple[str, ...]
    container: bool
    begins: bool
    """Whether it is recorded that the step has begun."""
    shared: bool
    """Whether other branches may have something for the same commit."""
    hidden: frozenset[str]
    """The outputs whose values are not recorded."""
    undoes: bool
    task_variables: frozenset[str]
    """The variables of the task that steps inside set (``toTaskScope``), which are not run when this one is recalled."""

    @classmethod
    def implied(cls, step: Step, settings: WeaveSettings) -> Replay | None:
        """Round every step of a recorded program but the root and those with ``saveState="false"``."""
        if settings.root or settings.outermost is not None or not settings.saved(step):
            return None
        return cls(
            step=step,
            input_names=tuple(item.name for item in step.inputs),
            container=step.traits.holds_steps(step),
            begins=step.traits.holds_steps(step) or step.traits.awaits(step),
            shared=settings.concurrent,
            hidden=unrecorded(step.outputs),
            undoes=settings.undoes,
            task_variables=_set_inside(step),
        )

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Return what is recorded of the step; without that, run it and record how it ended."""
        recorder: Recorder = frame.run.journal  # type: ignore[assignment]  # woven into recorded programs only
        key = frame.path
        known = recorder.recorded(key)
        before = await self._before(known, frame, recorder)
        if before is not None:
            return before
        started = now()
        begun = self._begun(frame, known, recorder)
        if self.begins:
            recorder.note(self._record(key, StepState.RUNNING, started, None, inputs=begun))
        done: Completion | None = None
        try:
            done = await inner(frame)
            if done.suspended:
                return done
            record, values = self._done(done, frame, key, started, recorder)
        except Exception as error:
            if isinstance(error, UnsavableValueError) and done is not None:
                self._register_unsaved(frame, done)
            await self.failed(error, frame, key, started, begun)
            raise
        except asyncio.CancelledError:
            task = asyncio.current_task()
            by_others = task is not None and task.cancelling() > 0  # else the step's own code has raised it
            if by_others and not frame.run.is_aborted and not frame.run.is_cancelled:
                recorder.note(self._record(key, StepState.CANCELLED, started, None, inputs=begun))
            raise
        self._note_variables(frame, recorder)
        if values is not None:  # before the commit, where a cancellation may come
            register_compensation(frame, self.step, values, done, record)
        await recorder.save(record, shared=self.shared)
        return done

    async def _before(self, known: StepRecord | None, frame: Frame, recorder: Recorder) -> Completion | None:
        """Return how the step ended before the run was resumed, raise its failure, or return None when it is to be run."""
        if known is None:
            return Completion(signal=Signal.SUSPEND) if frame.run.control.suspending else None
        state = known.state
        if state is StepState.SUCCEEDED and not self.step.allow_start_if_complete:
            return self._recalled(known, frame, recorder)
        if state is StepState.FAILED or state is StepState.TIMED_OUT:
            raise self._failed_before(known, frame, recorder)
        if state is StepState.CANCELLED:
            await asyncio.Event().wait()
        if state is StepState.SKIPPED and recorder.flow_changed:
            raise recorder.abort(
                DecisionChangedError(known.key, "left out", known.note, "done", "there is no condition")
            )
        return Completion(signal=Signal.SUSPEND) if frame.run.control.suspending else None

    def _done(
        self, done: Completion, frame: Frame, key: str, started: float, recorder: Recorder
    ) -> tuple[StepRecord, Mapping[str, Any] | None]:
        """Return the record of the step's success, and what is kept for undoing it."""
        values = self.step.traits.compensation_data(self.step, frame)
        inputs = None if values is None else recorder.text(_public(values, frame), f"what undoing {key} needs: ")
        outputs = self.text_of(done.outputs, key, recorder)
        record = StepRecord(
            key, "step", StepState.SUCCEEDED, frame.attempt, self.input_names, outputs, done.signal, done.target,
            started=started, ended=now(), inputs=inputs,
        )  # fmt: skip
        return record, values

    def _note_variables(self, frame: Frame, recorder: Recorder) -> None:
        """Note, with the end of the step, the variables round it that are recorded."""
        if self.task_variables:
            scope = frame.run.scope
            values = {name: scope[name] for name in sorted(self.task_variables) if name in scope}
            text = recorder.text(values, f"{frame.path}: variable of the task ")
            recorder.note(StepRecord(f"{frame.path}:task", "vars", outputs=text, ended=now()))
        parent = frame.parent
        if parent is not None and parent.step.persis_vars:
            recorder.note(variables_of(parent, recorder))

    def _register_unsaved(self, frame: Frame, done: Completion) -> None:
        """Let the step be undone that has done its work and fails only because a value of it cannot be recorded."""
        values = self.step.traits.compensation_data(self.step, frame)
        if values is not None:
            register_compensation(frame, self.step, values, done)

    def _recalled(self, known: StepRecord, frame: Frame, recorder: Recorder) -> Completion:
        outputs = recorder.value(known.outputs) or {}
        if self.hidden:
            outputs |= dict.fromkeys(self.hidden - outputs.keys())
        done = Completion(outputs, known.signal, known.target)
        variables = recorder.recorded(f"{known.key}:task") if self.task_variables else None
        if variables is not None:
            frame.run.scope.update(recorder.value(variables.outputs))
        if self.undoes:
            if self.container:
                last = known.key if known.attempt == 1 else f"{known.key}#{known.attempt}"
                frame.compensations.extend(recorded_compensations(frame.run, last))
            if known.inputs is not None:
                register_compensation(frame, self.step, recorder.value(known.inputs), done, known)
        return done

    def _failed_before(self, known: StepRecord, frame: Frame, recorder: Recorder) -> Exception:
        failure = recorder.failure(known.error)
        if PASSES_ALL in known.note or isinstance(failure, RevertError):
            frame.run.rollback.abort_error = failure
        if UNDONE in known.note:
            frame.run.rollback.compensated.add(known.key)
        return failure

    def _begun(self, frame: Frame, known: StepRecord | None, recorder: Recorder) -> str | None:
        """Return the text of the inputs, as they were when the step was begun first; a resumed run has the same."""
        if known is not None and known.inputs is not None and known.state is not StepState.SUCCEEDED:
            frame.scope.update(recorder.value(known.inputs))
            return known.inputs
        values = {}
        for item in self.step.inputs if self.container else ():
            if item.persist and item.name in frame.scope and recorder.codecs.can_save(frame.scope[item.name]):
                values[item.name] = frame.scope[item.name]
        values = _public(values, frame)
        return recorder.codecs.dumps(values) if values else None

    async def failed(self, error: Exception, frame: Frame, key: str, started: float, begun: str | None = None) -> None:
        """Record that the step has failed."""
        recorder: Any = frame.run.journal
        if recorder.is_broken:
            raise RunAborted(recorder.journal.problem) from error
        state = StepState.TIMED_OUT if isinstance(error, StepTimeout) else StepState.FAILED
        rollback = frame.run.rollback
        undone = any(is_inside(one, key) for one in rollback.compensated)
        note = "; ".join(
            filter(None, (PASSES_ALL if rollback.abort_error is not None else "", UNDONE if undone else ""))
        )
        record = self._record(key, state, started, now(), inputs=begun, error=recorder.error_record(error), note=note)
        await recorder.save(record, shared=self.shared)

    def _record(self, key: str, state: StepState, started: float, ended: float | None, **more: Any) -> StepRecord:
        return StepRecord(key, "step", state, input_names=self.input_names, started=started, ended=ended, **more)

    def text_of(self, outputs: Mapping[str, Any], key: str, recorder: Recorder) -> str:
        """Return the text of the outputs that are recorded; UnsavableValueError names the step and the output."""
        if self.hidden or self.step.ignore_result:
            outputs = {name: value for name, value in outputs.items() if name not in self.hidden}
            if self.step.ignore_result:
                outputs.pop(RESULT, None)
        try:
            return recorder.codecs.dumps(outputs if outputs.__class__ is dict else dict(outputs))
        except UnsavableValueError as error:
            raise unsavable(error, key) from error


def _set_inside(step: Step) -> frozenset[str]:
    """Return the variables of the task that the steps inside set."""
    inside = (item for inner in walk(step) if inner is not step for item in inner.outputs)
    return frozenset(item.variable for item in inside if item.to_task_scope)


def variables_of(frame: Frame, recorder: Recorder) -> StepRecord:
    """Return the record of the variables that a container keeps (``persisVars``)."""
    values = {name: frame.scope[name] for name in sorted(frame.step.persis_vars) if name in frame.scope}
    return StepRecord(
        frame.part("vars"), "vars", outputs=recorder.text(values, f"{frame.path}: variable "), ended=now()
    )


def _public(values: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
    """Return those of the values that may be recorded: not those of inputs with ``persist="false"``.

    An input that takes the variable of its own name is no more public than that variable.
    """
    found = dict(values)
    open_names = set(found)
    inside: Frame | None = frame
    while inside is not None and open_names:
        for item in inside.step.inputs:
            if item.name in open_names:
                if not item.persist:
                    del found[item.name]
                if not item.persist or not item.by_name or inside.step.traits.requests(inside.step, item):
                    open_names.discard(item.name)
        inside = inside.parent
    return found


def unsavable(error: UnsavableValueError, key: str) -> UnsavableValueError:
    """Return the error that names the step and the output whose value cannot be recorded."""
    output, _, rest = error.path.removeprefix("['").partition("']")
    place = f"step {key}: its output '{output}'" + (f", at {rest}," if rest else "")
    return UnsavableValueError(f'{place} cannot be recorded: {error.problem}; or say saveState="false" on the step')
