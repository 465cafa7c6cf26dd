"""Recorder: reads and writes the journal of a recorded run, with Python values instead of their JSON text.

    items = recorder.remember("main/loop:items", lambda: list(frame.eval(self.items)))

Rules: a resumed run executes the same program again (replay); recorded steps and decisions return their recorded
values. A decision is written with the next commit, so it never needs a commit of its own; the end of a step is
committed before the run continues. When a record cannot be written, the run is aborted.
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
    """The journal of one recorded run; implements the protocol ``RunJournal``.

    ``flow_changed`` is true if the run is resumed with a flow that differs from its original one. ``resume_inputs`` are
    the inputs that the run was resumed with; ``wait_points`` are the steps at which it waits when it is suspended.
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
        """Whether records can no longer be written."""
        return self.journal.problem is not None

    @property
    def problem(self) -> TaskrunError | None:
        """The error because of which the run must end immediately, None while it may continue."""
        return self.journal.problem or self.abort_reason

    def abort(self, error: TaskrunError) -> RunAborted:
        """Return the exception that aborts the run, and stop its other branches."""
        self.abort_reason = self.abort_reason or error
        return RunAborted(error)

    def remember(self, key: str, make: Callable[[], Any], kind: str = "decision", because: str = "") -> Any:
        """Return the recorded value of a key; without one, call ``make`` and record its value.

        ``because`` is the text of the script that decides. If the run is resumed with another text, and ``make``
        returns another value than the recorded one, the run is aborted with DecisionChangedError.
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
        """Write a record with the next commit."""
        try:
            self.journal.note(record)
        except StoreError as error:
            raise RunAborted(error) from error

    async def save(self, record: StepRecord, *, shared: bool = True) -> None:
        """Write a record and return when it is committed.

        With ``shared`` the commit may include the records of concurrent branches.
        """
        try:
            if shared or not self.journal.alone:
                await self.journal.save(record)
            else:
                self.journal.save_now(record)
        except StoreError as error:
            raise RunAborted(error) from error

    async def set_state(self, state: RunState) -> None:
        """Write the state of the run and return when it is committed."""
        try:
            await self.journal.change({"state": state})
        except StoreError as error:
            raise RunAborted(error) from error

    def set_state_soon(self, state: RunState) -> None:
        """Write the state of the run with the next commit."""
        self.journal.change_soon({"state": state})

    def write(self, changes: RunChanges, records: Sequence[StepRecord] = ()) -> None:
        """Commit earlier writes, then changes of the run together with records, before this returns."""
        journal = self.journal
        try:
            journal.flush()
            journal.store.write(journal.run_id, journal.epoch, records, changes)
        except StoreError as error:
            journal.problem = journal.problem or error
            raise RunAborted(error) from error

    def request(self, kind: str) -> None:
        """Store a request to the run, such as ``cancel``, for the process that resumes the run."""
        try:
            self.journal.store.request(self.journal.run_id, kind)
        except StoreError as error:
            self.journal.problem = self.journal.problem or error

    def recorded_flow(self, path: str, flow: Flow, compile_text: Callable[[str, str], Flow]) -> Flow:
        """Return the flow of the task at ``path`` with the text that it had when the run first called it."""
        text: str = self.remember(f"main:flow {path}", lambda: flow.text, "flow")
        return flow if text == flow.text or self.flow_changed else compile_text(path, text)

    def order(self, key: str) -> int:
        """Return the rank of a replayed step among all completions: a negative number, as it precedes new ones."""
        return self.journal.order(key)

    def inside(self, path: str) -> list[StepRecord]:
        """Return the records inside the step at ``path`` that a rollback needs, in the order of their last writes."""
        return self.journal.inside(path)

    def text(self, value: Any, what: str) -> str:
        """Return the JSON text of a value; raises UnsavableValueError, which calls the value ``what``."""
        try:
            return self.codecs.dumps(value)
        except UnsavableValueError as error:
            place = f"{what}{error.path}"
            raise UnsavableValueError(f"{place} cannot be recorded: {error.problem}") from error

    def value(self, text: str | None) -> Any:
        """Return the value of a JSON text, None for None; raises RunAborted if the text cannot be read."""
        if text is None:
            return None
        try:
            return self.codecs.loads(text)
        except StoreError as error:
            raise self.abort(error) from error

    def error_record(self, error: BaseException) -> ErrorRecord:
        """Return the record of an exception."""
        from taskrun.durable.error_records import record_error

        return record_error(error, self.codecs)

    def failure(self, record: ErrorRecord | None) -> Exception:
        """Return the exception that a record describes."""
        if record is None:
            return RuntimeError("a failure whose error was not recorded")
        from taskrun.durable.revive_exception import revive

        return revive(record, self.codecs, self._allow)


def recorder_of(run: Run) -> Recorder:
    """Return the recorder of a run; raises RunError for a run that is not recorded."""
    journal = run.journal
    if not isinstance(journal, Recorder):
        raise RunError("the run cannot be suspended, because it is not recorded: use a TaskManager with a store")
    return journal


def inputs_text(codecs: Codecs, inputs: Mapping[str, Any]) -> str:
    """Return the JSON text of a run's inputs; raises UnsavableValueError, which names the input."""
    try:
        return codecs.dumps(dict(inputs))
    except UnsavableValueError as error:
        raise UnsavableValueError(f"input {error.path} cannot be recorded: {error.problem}") from error
