"""Recorder: the journal of a recorded run, which steps read and write with Python values instead of JSON text.

    items = recorder.remember("main/loop:items", lambda: list(frame.eval(self.items)))

Rules: a resumed run executes the same program again (replay); recorded steps and decisions return their recorded
values. A decision is written with the next commit, so it never needs a commit of its own. The end of a step is
committed before the run continues. If a record cannot be written, the run is aborted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from taskrun.codec.classes import ImportFilter
from taskrun.codec.codec import Codecs
from taskrun.core.control import RunAborted
from taskrun.core.journal import ErrorRecord, StepRecord
from taskrun.core.states import RunState
from taskrun.core.timers import now
from taskrun.durable.journal import Journal
from taskrun.durable.records import RunChanges
from taskrun.errors import DecisionChangedError, RunError, StoreError, TaskrunError, UnsavableValueError
from taskrun.result import WaitPoint

if TYPE_CHECKING:
    from taskrun.core.flow import Flow
    from taskrun.core.run import Run


class Recorder:
    """The journal of one recorded run with Python values; implements the protocol ``RunJournal``.

    ``flow_changed`` is True if the run is resumed with a flow that differs from the recorded one. ``resume_inputs`` are
    the inputs that were passed to the resume. ``wait_points`` is the list to which steps add where the run is to wait.
    """

    records = True

    def __init__(
        self,
        journal: Journal,
        codecs: Codecs,
        allow: ImportFilter,
        *,
        flow_changed: bool = False,
        resume_inputs: Mapping[str, Any] | None = None,
    ) -> None:
        self.journal = journal
        self.codecs = codecs
        self.flow_changed = flow_changed
        self.resume_inputs: Mapping[str, Any] = resume_inputs or {}
        self.wait_points: list[WaitPoint] = []
        self.recorded: Callable[[str], StepRecord | None] = journal.recorded
        self.replays: bool = journal.replays
        self.abort_reason: TaskrunError | None = None
        self._allow = allow

    @property
    def is_broken(self) -> bool:
        """Whether a write has failed, after which no record can be written."""
        return self.journal.problem is not None

    @property
    def problem(self) -> TaskrunError | None:
        """The error because of which the run must end immediately, None while it may continue."""
        return self.journal.problem or self.abort_reason

    def abort(self, error: TaskrunError) -> RunAborted:
        """Return the exception to raise in order to abort the run because of ``error``.

        From now on ``problem`` is this error, so that no handler in any branch catches a failure any more.
        """
        self.abort_reason = self.abort_reason or error
        return RunAborted(error)

    def remember(self, key: str, make: Callable[[], Any], kind: str = "decision", because: str = "") -> Any:
        """Return the recorded value of a decision; if there is none, return the value of ``make()`` and record it.

        ``key`` is the record key of the decision, ``kind`` the kind of its record. ``because`` is the text of the
        script that makes the decision. If the run is resumed with a flow in which this text is different, ``make`` is
        called too; if its value is not the recorded one, the run is aborted with DecisionChangedError.
        """
        record = self.recorded(key)
        if record is None:
            value = make()
            self.note(StepRecord(key, kind, outputs=self.text(value, key), note=because, ended=now()))
            return value
        value = self.value(record.outputs)
        if self.flow_changed and record.note != because:
            other = make()
            if other != value:
                raise self.abort(DecisionChangedError(key, value, record.note, other, because))
        return value

    def note(self, record: StepRecord) -> None:
        """Write a record without waiting: it is committed with the next commit."""
        try:
            self.journal.note(record)
        except StoreError as error:
            raise RunAborted(error) from error

    async def save(self, record: StepRecord, *, shared: bool = True) -> None:
        """Write a record, and wait until it is committed.

        With ``shared`` the commit waits for one turn of the event loop, so that it can include the records of
        concurrent branches. Without it, and while no other run is executed, the commit happens at once.
        """
        try:
            if shared or not self.journal.alone:
                await self.journal.save(record)
            else:
                self.journal.save_now(record)
        except StoreError as error:
            raise RunAborted(error) from error

    async def set_state(self, state: RunState) -> None:
        """Write the new state of the run, and wait until it is committed."""
        try:
            await self.journal.change({"state": state})
        except StoreError as error:
            raise RunAborted(error) from error

    def set_state_soon(self, state: RunState) -> None:
        """Write the new state of the run without waiting: it is committed with the next commit."""
        self.journal.change_soon({"state": state})

    def write(self, changes: RunChanges, records: Sequence[StepRecord] = ()) -> None:
        """Commit all earlier writes, then changes of the run and records in one transaction, before this returns."""
        journal = self.journal
        try:
            journal.flush()
            journal.store.write(journal.run_id, journal.epoch, records, changes)
        except StoreError as error:
            journal.problem = journal.problem or error
            raise RunAborted(error) from error

    def request(self, kind: str) -> None:
        """Store a request, such as ``cancel``, so that a process that resumes the run after a crash carries it out."""
        try:
            self.journal.store.request(self.journal.run_id, kind)
        except StoreError as error:
            self.journal.problem = self.journal.problem or error

    def recorded_flow(self, path: str, flow: Flow, compile_text: Callable[[str, str], Flow]) -> Flow:
        """Return a called task as it was when the run first called it; ``path`` is its file, ``flow`` its present flow.

        If its text has changed since, ``compile_text`` compiles the recorded text. If the run is resumed with another
        flow, ``flow`` is returned unchanged.
        """
        text: str = self.remember(f"main:flow {path}", lambda: flow.text, "flow")
        return flow if text == flow.text or self.flow_changed else compile_text(path, text)

    def order(self, key: str) -> int:
        """Return the position of a replayed step in the order of completion.

        It is negative, because replayed steps ended before those of this process, whose positions are positive.
        """
        return self.journal.order(key)

    def inside(self, path: str) -> list[StepRecord]:
        """Return the records that a rollback of the step at ``path`` needs, the oldest first.

        These are the records of the steps with a compensation, and of the rollbacks, inside this step.
        """
        return self.journal.inside(path)

    def text(self, value: Any, what: str) -> str:
        """Return the JSON text of a value.

        Raises UnsavableValueError, whose message calls the value ``what``, if it cannot be converted.
        """
        try:
            return self.codecs.dumps(value)
        except UnsavableValueError as error:
            place = f"{what}{error.path}"
            raise UnsavableValueError(f"{place} cannot be recorded: {error.problem}") from error

    def value(self, text: str | None) -> Any:
        """Return the value of a JSON text, None for None; aborts the run if the text cannot be read."""
        if text is None:
            return None
        try:
            return self.codecs.loads(text)
        except StoreError as error:
            raise self.abort(error) from error

    def error_record(self, error: BaseException) -> ErrorRecord:
        """Return the record of an exception, with its causes and the members of a group."""
        from taskrun.durable.error_records import record_error

        return record_error(error, self.codecs)

    def failure(self, record: ErrorRecord | None) -> Exception:
        """Return an exception that equals the recorded one; a RuntimeError if ``record`` is None."""
        if record is None:
            return RuntimeError("a failure whose error was not recorded")
        from taskrun.durable.revive_exception import revive

        return revive(record, self.codecs, self._allow)


def find_recorder(run: Run) -> Recorder | None:
    """Return the recorder of a run, None if the run is not recorded."""
    journal = run.journal
    return journal if isinstance(journal, Recorder) else None


def recorder_of(run: Run) -> Recorder:
    """Return the recorder of a run, for a step that suspends it; raises RunError if the run is not recorded."""
    recorder = find_recorder(run)
    if recorder is None:
        raise RunError("the run cannot be suspended, because it is not recorded: use a TaskManager with a store")
    return recorder


def inputs_text(codecs: Codecs, inputs: Mapping[str, Any]) -> str:
    """Return inputs as JSON text; raises UnsavableValueError, which names the input, if one cannot be converted."""
    try:
        return codecs.dumps(dict(inputs))
    except UnsavableValueError as error:
        raise UnsavableValueError(f"input {error.path} cannot be recorded: {error.problem}") from error
