"""What a recorded run writes down and recalls, in terms of values: ``remember`` is do once, recall ever after.

    items = recorder.remember("main/loop:items", lambda: list(frame.eval(self.items)))

Rules: keys are paths of steps; what belongs to a part of a step has a colon and the part's name behind the path. A
resumed run runs the same tree again: steps that were recorded return at once, and so do decisions. A decision is written
with the next record that is committed, so it never costs a commit of its own; a step's end is committed before the run
goes on. When a record cannot be written the run is ``RunAborted``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from taskrun.codec.classes import Allow
from taskrun.codec.codec import Codecs
from taskrun.core.abort import RunAborted
from taskrun.durable.journal import Journal
from taskrun.durable.records import ErrorRecord, RunChanges, StepRecord
from taskrun.durable.revive_exception import revive
from taskrun.errors import DecisionChangedError, StoreError, TaskrunError, UnsavableValueError

if TYPE_CHECKING:
    from taskrun.core.flow import Flow
    from taskrun.core.services import Services

now = time.time


class Recorder:
    """The records of one run. ``other_flow`` tells that the run is resumed with another flow than it began with."""

    def __init__(self, journal: Journal, codecs: Codecs, allow: Allow, *, other_flow: bool = False) -> None:
        self.journal = journal
        self.codecs = codecs
        self.other_flow = other_flow
        self.recorded = journal.recorded
        self.stopped: TaskrunError | None = None
        self._allow = allow

    @property
    def lost(self) -> bool:
        """Whether the run's records cannot be written any more."""
        return self.journal.problem is not None

    @property
    def problem(self) -> TaskrunError | None:
        """Why the run must do nothing more, None as long as it may go on."""
        return self.journal.problem or self.stopped

    def stop(self, error: TaskrunError) -> RunAborted:
        """Return what ends the run; from now on nothing of it is done any more, in other branches neither."""
        self.stopped = self.stopped or error
        return RunAborted(error)

    def remember(self, key: str, make: Callable[[], Any], kind: str = "decision", because: str = "") -> Any:
        """Return the value that was recorded under the key, or make it and record it.

        ``because`` is the text of what decides: when a resumed run has another text there and it gives another value,
        DecisionChangedError ends the run.
        """
        record = self.recorded(key)
        if record is None:
            value = make()
            text = self.text(value, key)
            self.note(StepRecord(key, kind, outputs=text, note=because, ended=now()))
            return value
        value = self.value(record.outputs)
        if self.other_flow and record.note != because:
            other = make()
            if other != value:
                raise self.stop(DecisionChangedError(key, value, record.note, other, because))
        return value

    def note(self, record: StepRecord) -> None:
        """Write a record with the next commit."""
        try:
            self.journal.note(record)
        except StoreError as error:
            raise RunAborted(error) from error

    async def save(self, record: StepRecord, *, shared: bool = True) -> None:
        """Write a record and return when it is committed; ``shared`` when others may have something for the commit."""
        try:
            if shared or not self.journal.alone:
                await self.journal.save(record)
            else:
                self.journal.save_now(record)
        except StoreError as error:
            raise RunAborted(error) from error

    async def change(self, changes: RunChanges) -> None:
        """Change the run itself and return when that is committed."""
        try:
            await self.journal.change(changes)
        except StoreError as error:
            raise RunAborted(error) from error

    def write(self, changes: RunChanges, records: Sequence[StepRecord] = ()) -> None:
        """Write records and change the run itself before this returns, after all that was saved before."""
        journal = self.journal
        try:
            journal.flush()
            journal.store.write(journal.run_id, journal.epoch, records, changes)
        except StoreError as error:
            journal.problem = journal.problem or error
            raise RunAborted(error) from error

    def ask(self, kind: str) -> None:
        """Note in the store that something was asked of the run, so that whoever resumes it knows."""
        try:
            self.journal.store.request(self.journal.run_id, kind)
        except StoreError as error:
            self.journal.problem = self.journal.problem or error

    def flow_as_recorded(self, path: str, flow: Flow, services: Services) -> Flow:
        """Return the flow that the task at ``path`` had when the run called it first."""
        key = f"main:flow {path}"
        text: str = self.remember(key, lambda: flow.text, "flow")
        return flow if text == flow.text or self.other_flow else services.compile_text(path, text)

    @staticmethod
    def given(codecs: Codecs, inputs: Mapping[str, Any]) -> str:
        """Return the text of a run's inputs; UnsavableValueError names the input that cannot be recorded."""
        try:
            return codecs.dumps(dict(inputs))
        except UnsavableValueError as error:
            raise UnsavableValueError(f"input {error.path} cannot be recorded: {error.problem}") from error

    def text(self, value: Any, what: str) -> str:
        """Return the text of a value; UnsavableValueError says that it is that of ``what``."""
        try:
            return self.codecs.dumps(value)
        except UnsavableValueError as error:
            place = f"{what}{error.path}"
            raise UnsavableValueError(f"{place} cannot be recorded: {error.problem}") from error

    def value(self, text: str | None) -> Any:
        """Return the value of a text that ``text`` made; None is None."""
        if text is None:
            return None
        try:
            return self.codecs.loads(text)
        except StoreError as error:
            raise self.stop(error) from error

    def error(self, error: BaseException) -> ErrorRecord:
        """Return the record of a failure."""
        return ErrorRecord.of(error, self.codecs)

    def failure(self, record: ErrorRecord | None) -> Exception:
        """Return the failure that was recorded."""
        if record is None:
            return RuntimeError("a failure whose error was not recorded")
        return revive(record, self.codecs, self._allow)
