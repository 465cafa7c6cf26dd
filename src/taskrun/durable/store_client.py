"""StoreClient: how one TaskManager uses its store: open it, create runs in it, claim them, and open their journals."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from taskrun.codec.codec import Codec, Codecs
from taskrun.codec.script_views import RESULT_CODECS
from taskrun.core.control import RunAborted
from taskrun.core.journal import StepRecord
from taskrun.core.run import Run
from taskrun.core.states import RunState
from taskrun.core.timers import now
from taskrun.durable.commit_groups import CommitGroups
from taskrun.durable.journal import Journal
from taskrun.durable.recorder import Recorder, inputs_text
from taskrun.durable.records import Owner, RunRecord
from taskrun.durable.store import Store
from taskrun.errors import StoreError


class StoreClient:
    """The store of one TaskManager, and the codecs for the values that it records.

    Parameters: ``store`` is a Store, or a URL that ``open_store`` opens when the store is first used. ``codecs``
    convert types of values that taskrun does not support itself. ``permits`` takes the name of a module and returns
    whether this module may be imported to find the class of a recorded value.
    """

    def __init__(
        self,
        store: Store | str,
        codecs: Iterable[Codec],
        permits: Callable[[str], bool],
        open_store: Callable[[str], Store],
    ) -> None:
        if isinstance(store, os.PathLike | bytes | int):
            raise TypeError(f"store is {store!r}, neither a Store nor a URL such as 'sqlite:///runs.db'")
        self._store = store
        self._open_store = open_store
        self._lock = threading.Lock()
        self._opened = False
        self._groups: CommitGroups | None = None
        self.codecs: Codecs = Codecs((*RESULT_CODECS, *codecs), permits)
        self.permits = permits

    @property
    def store(self) -> Store:
        """The store; if the setting is a URL, the first use opens it."""
        if isinstance(self._store, str):
            with self._lock:
                if isinstance(self._store, str):  # another thread may have opened it meanwhile
                    self._store = self._open_store(self._store)
                    self._opened = True
        return self._store

    def close(self) -> None:
        """Close the store if this object opened it from a URL; a Store that the user passed stays open."""
        if self._opened:
            self.store.close()

    def create(self, run: Run, inputs: Mapping[str, Any], inherited: Iterable[StepRecord] = ()) -> Recorder:
        """Create the record of a new run, owned by this process, and return the recorder of the run.

        ``inputs`` are recorded except those with ``persist="false"``. ``inherited`` are records of an earlier run that
        the new run replays (for a rerun).
        """
        flow = run.flow
        hidden = {item.name for item in flow.model.inputs if not item.persist}
        public = {name: value for name, value in inputs.items() if name not in hidden}
        records = tuple(inherited)
        self.store.create(
            RunRecord(
                run_id=run.run_id, flow=flow.name, version=str(flow.version or ""), path=flow.path, text=flow.text,
                state=RunState.RUNNING, owner=Owner.here(), heartbeat=now(), created=now(), started=now(),
                flags=run.flags, inputs=inputs_text(self.codecs, public),
            )
        )  # fmt: skip
        recorder = self.open_recorder(run, 1, records)
        if not records:
            return recorder
        try:
            self.store.write(run.run_id, 1, records)
        except BaseException:
            recorder.journal.close()
            with suppress(StoreError):  # a run that stays would seem to be executed by this process
                self.store.delete(run.run_id)
            raise
        return recorder

    @contextmanager
    def claimed(self, run_id: str, stale_after: float) -> Iterator[tuple[int, RunRecord]]:
        """Claim a run for this process; yield its new epoch and its record to the ``with`` block.

        If the block raises, the ownership ends at once, so that another process can resume the run. Otherwise it stays.
        Raises RunOwnedError if another process executes the run, TransitionError if the run has ended for good.
        """
        epoch = self.store.claim(run_id, Owner.here(), now(), stale_after)
        try:
            yield epoch, self.store.load(run_id)
        except BaseException as error:
            with suppress(StoreError):  # the run has ended meanwhile, or cannot be written
                self.store.write(run_id, epoch, (), {"owner": None})
            if isinstance(error, RunAborted):
                raise error.error from error.error.__cause__
            raise

    def open_recorder(
        self,
        run: Run,
        epoch: int,
        records: Iterable[StepRecord],
        *,
        flow_changed: bool = False,
        resume_inputs: Mapping[str, Any] | None = None,
    ) -> Recorder:
        """Open the journal of a run, make the run record its steps there from now on, and return its recorder.

        ``epoch`` is that of this process's claim, ``records`` are the records to replay. ``flow_changed`` and
        ``resume_inputs`` are those of the Recorder.
        """
        if self._groups is None:
            self._groups = CommitGroups(self.store)
        journal = Journal(self.store, run.run_id, epoch, records, self._groups.here())
        recorder = Recorder(
            journal, self.codecs, self.permits, flow_changed=flow_changed, resume_inputs=resume_inputs
        )  # fmt: skip
        run.record_in(recorder)
        return recorder
