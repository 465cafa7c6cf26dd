"""Replay and recording of a step: return its recorded result; without one, run the step and record how it ended.

Rules: success and failure are recorded and committed before the run continues; a resumed run returns the same outputs
or raises the same failure. The values that the compensation of a step needs are recorded with it. This decorator is
outside throttle, rate-limit, timeout and retry, so that a replayed step does not wait for them. It is inside
``allowFailure`` and ``nextOnError``, so that they handle a replayed failure too.

A branch is recorded as cancelled when its join did not need it any more. In a replay it waits, without doing anything,
until the join cancels it again. A step with ``saveState="false"`` is not recorded. A step with
``allowStartIfComplete="true"`` is run again when the run is resumed, although it succeeded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

from taskrun.core.completion import RESULT, Completion, Signal
from taskrun.core.control import RunAborted
from taskrun.core.frame import Frame
from taskrun.core.journal import StepRecord
from taskrun.core.outputs import unrecorded
from taskrun.core.rollback import is_inside
from taskrun.core.states import StepState
from taskrun.core.step import ImpliedDecorator, Inner, Step, decorator, walk
from taskrun.core.timers import now
from taskrun.core.traits import DecoratorTraits
from taskrun.core.weave import WeaveSettings
from taskrun.durable.compensation import recorded_compensations, register_compensation
from taskrun.durable.recorder import Recorder
from taskrun.errors import DecisionChangedError, RevertError, StepTimeout, UnsavableValueError

ROLLS_BACK_RUN = "it passes every handler"
"""The stored note of a failure that rolls back the whole run and that no handler may catch."""
COMPENSATED = "what the steps inside had done is undone"
"""The stored note of the failure of a container after its rollback."""


@decorator("replay", rank=97)
class Replay(ImpliedDecorator):
    """Implied decorator that replays or records a step of a recorded run."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(implied_if_recorded=True, belongs_to_call=True)

    step: Step
    input_names: tuple[str, ...]
    container: bool
    """Whether there are steps inside the step."""
    records_start: bool
    """Whether the start of the step is recorded too."""
    shared: bool
    """Whether concurrent branches may add records to the same commit."""
    hidden: frozenset[str]
    """The outputs whose values are not recorded."""
    compensates: bool
    """Whether any step of the flow may have a compensation."""
    task_variables: frozenset[str]
    """The variables of the task that steps inside set (``toTaskScope``); they are recorded with this step."""

    @classmethod
    def implied(cls, step: Step, settings: WeaveSettings) -> Replay:
        """Return the decorator for a recorded step.

        A library step that ``<call-step>`` calls has none: the ``<call-step>`` is recorded in its place.
        """
        return cls(
            step=step,
            input_names=tuple(item.name for item in step.inputs),
            container=step.traits.contains_steps(step),
            records_start=step.traits.contains_steps(step) or step.traits.awaits(step),
            shared=settings.concurrent,
            hidden=unrecorded(step.outputs),
            compensates=settings.compensates,
            task_variables=_set_inside(step),
        )

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Return the recorded completion of the step; without one, run the step and record how it ended."""
        recorder: Recorder = frame.run.journal  # type: ignore[assignment]  # woven into recorded programs only
        key = frame.path
        earlier = recorder.recorded(key)
        replayed = await self._replayed(earlier, frame, recorder)
        if replayed is not None:
            return replayed
        started = now()
        inputs = self._first_inputs(frame, earlier, recorder)
        if self.records_start:
            recorder.note(self._record(key, StepState.RUNNING, started, None, inputs=inputs))
        done: Completion | None = None
        try:
            done = await inner(frame)
            if done.suspended:
                return done
            record, values = self._success_record(done, frame, key, started, recorder)
        except Exception as error:
            if isinstance(error, UnsavableValueError) and done is not None:
                self._register_unsaved(frame, done)
            await self.record_failure(error, frame, key, started, inputs)
            raise
        except asyncio.CancelledError:
            task = asyncio.current_task()
            by_others = task is not None and task.cancelling() > 0  # else the code of the step has raised it
            if by_others and not frame.run.is_aborted and not frame.run.is_cancelled:
                recorder.note(self._record(key, StepState.CANCELLED, started, None, inputs=inputs))
            raise
        self._note_variables(frame, recorder)
        if values is not None:  # before the commit, which may be cancelled
            register_compensation(frame, self.step, values, done, record)
        await recorder.save(record, shared=self.shared)
        return done

    async def _replayed(self, earlier: StepRecord | None, frame: Frame, recorder: Recorder) -> Completion | None:
        """Return the recorded completion of the step or raise its recorded failure; None if the step has to run.

        ``earlier`` is the record of the step from an earlier execution of the run, None if there is none. If the run is
        about to be suspended, a step that would have to run is not started: a completion with the signal SUSPEND is
        returned.
        """
        if earlier is None:
            return Completion(signal=Signal.SUSPEND) if frame.run.control.suspending else None
        state = earlier.state
        if state is StepState.SUCCEEDED and not self.step.allow_start_if_complete:
            return self._replayed_success(earlier, frame, recorder)
        if state is StepState.FAILED or state is StepState.TIMED_OUT:
            raise self._recorded_failure(earlier, frame, recorder)
        if state is StepState.CANCELLED:
            await asyncio.Event().wait()
        if state is StepState.SKIPPED and recorder.flow_changed:
            raise recorder.abort(
                DecisionChangedError(earlier.key, "left out", earlier.note, "done", "there is no condition")
            )
        return Completion(signal=Signal.SUSPEND) if frame.run.control.suspending else None

    def _success_record(
        self, done: Completion, frame: Frame, key: str, started: float, recorder: Recorder
    ) -> tuple[StepRecord, Mapping[str, Any] | None]:
        """Return the record of the step, which has succeeded, and the values for its compensation, if it has one."""
        values = self.step.traits.compensation_data(self.step, frame)
        inputs = None if values is None else recorder.text(_public(values, frame), f"compensation data of {key}: ")
        outputs = self.text_of(done.outputs, key, recorder)
        record = StepRecord(
            key, "step", StepState.SUCCEEDED, frame.attempt, self.input_names, outputs, done.signal, done.target,
            started=started, ended=now(), inputs=inputs,
        )  # fmt: skip
        return record, values

    def _note_variables(self, frame: Frame, recorder: Recorder) -> None:
        """Add records of variables that a replay of this step must restore; they are committed with the step.

        The variables are those of the task that steps inside set, and those in ``persisVars`` of the container of this
        step.
        """
        if self.task_variables:
            scope = frame.run.scope
            values = {name: scope[name] for name in sorted(self.task_variables) if name in scope}
            text = recorder.text(values, f"{frame.path}: variable of the task ")
            recorder.note(StepRecord(f"{frame.path}:task", "vars", outputs=text, ended=now()))
        parent = frame.parent
        if parent is not None and parent.step.persis_vars:
            recorder.note(variables_of(parent, recorder))

    def _register_unsaved(self, frame: Frame, done: Completion) -> None:
        """Register the compensation of a step that succeeded, but now fails because its outputs cannot be recorded."""
        values = self.step.traits.compensation_data(self.step, frame)
        if values is not None:
            register_compensation(frame, self.step, values, done)

    def _replayed_success(self, earlier: StepRecord, frame: Frame, recorder: Recorder) -> Completion:
        """Return the recorded completion of the step, and restore what was recorded with it.

        This is the variables of the task that steps inside set, and the compensations of the step and of the steps
        inside.
        """
        outputs = recorder.value(earlier.outputs) or {}
        if self.hidden:
            outputs |= dict.fromkeys(self.hidden - outputs.keys())
        done = Completion(outputs, earlier.signal, earlier.target)
        variables = recorder.recorded(f"{earlier.key}:task") if self.task_variables else None
        if variables is not None:
            frame.run.scope.update(recorder.value(variables.outputs))
        if self.compensates:
            if self.container:
                last = earlier.key if earlier.attempt == 1 else f"{earlier.key}#{earlier.attempt}"
                frame.compensations.extend(recorded_compensations(frame.run, last))
            if earlier.inputs is not None:
                register_compensation(frame, self.step, recorder.value(earlier.inputs), done, earlier)
        return done

    def _recorded_failure(self, earlier: StepRecord, frame: Frame, recorder: Recorder) -> Exception:
        """Return the recorded failure of the step as an exception, for the caller to raise.

        If the failure rolled back the whole run, or the step was compensated because of it, the run gets that state
        again.
        """
        failure = recorder.failure(earlier.error)
        if ROLLS_BACK_RUN in earlier.note or isinstance(failure, RevertError):
            frame.run.rollback.abort_error = failure
        if COMPENSATED in earlier.note:
            frame.run.rollback.compensated.add(earlier.key)
        return failure

    def _first_inputs(self, frame: Frame, earlier: StepRecord | None, recorder: Recorder) -> str | None:
        """Return the JSON text of the inputs with which the step first began, to be recorded with it; None without any.

        If an earlier execution of the run recorded them, the variables of the step are set to these values: a step that
        begins again after a resume must have the same inputs.
        """
        if earlier is not None and earlier.inputs is not None and earlier.state is not StepState.SUCCEEDED:
            frame.scope.update(recorder.value(earlier.inputs))
            return earlier.inputs
        values = {}
        for item in self.step.inputs if self.container else ():
            if item.persist and item.name in frame.scope and recorder.codecs.can_save(frame.scope[item.name]):
                values[item.name] = frame.scope[item.name]
        values = _public(values, frame)
        return recorder.codecs.dumps(values) if values else None

    async def record_failure(
        self, error: Exception, frame: Frame, key: str, started: float, inputs: str | None = None
    ) -> None:
        """Record the failure of the step; raises RunAborted if the journal cannot write any more."""
        recorder: Any = frame.run.journal
        if recorder.is_broken:
            raise RunAborted(recorder.journal.problem) from error
        state = StepState.TIMED_OUT if isinstance(error, StepTimeout) else StepState.FAILED
        rollback = frame.run.rollback
        compensated = any(is_inside(one, key) for one in rollback.compensated)
        note = "; ".join(
            filter(
                None, (ROLLS_BACK_RUN if rollback.abort_error is not None else "", COMPENSATED if compensated else "")
            )
        )
        record = self._record(key, state, started, now(), inputs=inputs, error=recorder.error_record(error), note=note)
        await recorder.save(record, shared=self.shared)

    def _record(self, key: str, state: StepState, started: float, ended: float | None, **more: Any) -> StepRecord:
        """Return a record of the step with this state; ``more`` has further fields of StepRecord."""
        return StepRecord(key, "step", state, input_names=self.input_names, started=started, ended=ended, **more)

    def text_of(self, outputs: Mapping[str, Any], key: str, recorder: Recorder) -> str:
        """Return the JSON text to record of the outputs of the step, without outputs that must not be recorded.

        Raises UnsavableValueError, which names the step and the output, for a value that cannot be recorded.
        """
        if self.hidden or self.step.ignore_result:
            outputs = {name: value for name, value in outputs.items() if name not in self.hidden}
            if self.step.ignore_result:
                outputs.pop(RESULT, None)
        try:
            return recorder.codecs.dumps(outputs if outputs.__class__ is dict else dict(outputs))
        except UnsavableValueError as error:
            raise unsavable(error, key) from error


def _set_inside(step: Step) -> frozenset[str]:
    """Return the names of the variables of the task that steps inside ``step`` set (outputs with ``toTaskScope``)."""
    inside = (item for inner in walk(step) if inner is not step for item in inner.outputs)
    return frozenset(item.variable for item in inside if item.to_task_scope)


def variables_of(frame: Frame, recorder: Recorder) -> StepRecord:
    """Return a record of the variables in ``persisVars`` of a container, with their present values."""
    values = {name: frame.scope[name] for name in sorted(frame.step.persis_vars) if name in frame.scope}
    return StepRecord(
        frame.part_key("vars"), "vars", outputs=recorder.text(values, f"{frame.path}: variable "), ended=now()
    )


def _public(values: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
    """Return ``values`` without those of inputs with ``persist="false"``, which must not be recorded.

    A by-name input passes on a variable. If that is an input of an enclosing step, the ``persist`` of both inputs
    counts.
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
    """Return an error that names the step and the output whose value cannot be recorded, with a remedy.

    ``error`` is that of the codec, ``key`` the path of the step.
    """
    output, _, rest = error.path.removeprefix("['").partition("']")
    place = f"step {key}: its output '{output}'" + (f", at {rest}," if rest else "")
    return UnsavableValueError(f'{place} cannot be recorded: {error.problem}; or set saveState="false" on the step')
