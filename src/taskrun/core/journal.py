"""Records of steps, and the protocol of the journal that stores them.

Rules: ``core`` uses only the protocol ``RunJournal``; ``durable.recorder`` implements it. A run that is not recorded
has a ``NoJournal``, which contains no records and ignores writes. Each record has a key: the path of the step. For a
part of a step it is the path, a colon and the name of the part, such as ``main/loop:items``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from taskrun.core.completion import Signal
from taskrun.core.control import RunAborted
from taskrun.core.states import RunState, StepState

if TYPE_CHECKING:
    from taskrun.core.flow import Flow
    from taskrun.errors import TaskrunError


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """Record of an exception as text, which can be shown without importing the class of the exception.

    ``kind`` is the class with its module, ``group`` the members of an exception group. ``cause`` is the exception
    before it: ``__cause__``, or ``__context__`` if ``implicit`` is True. ``state`` is JSON text of its arguments and
    attributes (``codec.exception_state``), "" if none of them can be recorded.
    """

    kind: str
    message: str
    traceback: str = ""
    notes: tuple[str, ...] = ()
    cause: ErrorRecord | None = None
    group: tuple[ErrorRecord, ...] = ()
    state: str = ""
    implicit: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the record as a dict of values that JSON can represent; ``from_json`` converts it back."""
        return {name: getattr(self, name) for name in self.__slots__} | {
            "notes": list(self.notes),
            "cause": self.cause and self.cause.as_json(),
            "group": [member.as_json() for member in self.group],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ErrorRecord:
        """Create a record from the dict that ``as_json`` returned."""
        group, cause = tuple(map(cls.from_json, data["group"])), data["cause"] and cls.from_json(data["cause"])
        return cls(**{**data, "notes": tuple(data["notes"]), "cause": cause, "group": group})

    def __str__(self) -> str:
        return f"{self.kind.removeprefix('builtins.')}: {self.message}"


class StepRecord(NamedTuple):
    """Record of one execution of a step or of a part of it, such as a decision.

    ``key`` is the path of the step, with the name of the part if it is one. ``outputs`` is JSON text. ``signal`` and
    ``target`` are those of the completion. ``note`` is a comment for people, for example why the step was skipped.
    ``inputs`` is JSON text. For a container that has begun, it has the inputs. For a step that has succeeded, it has
    the values that its compensation needs, None without a compensation. ``started`` and ``ended`` are seconds since
    1970.
    """

    key: str
    kind: str = "step"
    state: StepState = StepState.SUCCEEDED
    attempt: int = 1
    input_names: tuple[str, ...] = ()
    outputs: str | None = None
    signal: Signal = Signal.NEXT
    target: str | None = None
    error: ErrorRecord | None = None
    note: str = ""
    started: float | None = None
    ended: float | None = None
    inputs: str | None = None


class RunJournal(Protocol):
    """Protocol of the journal of a run: reads the records of its earlier execution, and writes new ones."""

    @property
    def records(self) -> bool:
        """Whether the run is recorded; False for NoJournal, so that callers can save the work of making records."""

    @property
    def replays(self) -> bool:
        """Whether this is a resumed run, which has records of its earlier execution to replay."""

    @property
    def problem(self) -> TaskrunError | None:
        """The error because of which the run has to be aborted, None if it may continue."""

    @property
    def is_broken(self) -> bool:
        """Whether a write has failed, so that no records can be written any more."""

    def abort(self, error: TaskrunError) -> RunAborted:
        """Mark the run as aborted because of ``error``, and return the exception for the caller to raise.

        Concurrent branches of the run see the mark (``problem``) and end too.
        """

    def recorded(self, key: str) -> StepRecord | None:
        """Return the record with that key from before the run was resumed, None if there is none."""

    def remember(self, key: str, make: Callable[[], Any], kind: str = "decision", because: str = "") -> Any:
        """Return the recorded value of a decision; if none is recorded, call ``make`` and record what it returns.

        Parameters: ``kind`` is the kind of the record, ``because`` the text of the script that decides, for messages.
        """

    def note(self, record: StepRecord) -> None:
        """Write a record with the next commit, without waiting for it.

        The record is lost if the process dies before.
        """

    async def save(self, record: StepRecord, *, shared: bool = True) -> None:
        """Write a record and return when it is committed, so that it survives the death of the process.

        With ``shared``, the records of concurrent branches may be committed together with it.
        """

    async def set_state(self, state: RunState) -> None:
        """Write the new state of the run and return when it is committed."""

    def set_state_soon(self, state: RunState) -> None:
        """Write the state of the run with the next commit, without waiting for it."""

    def request(self, kind: str) -> None:
        """Store a request to the run, such as ``cancel``; a process that resumes the run later finds it."""

    def text(self, value: Any, what: str) -> str:
        """Return the JSON text of a value.

        Raises UnsavableValueError if the value cannot be recorded; ``what`` names the value in its message.
        """

    def value(self, text: str | None) -> Any:
        """Convert the JSON text of a value back; None becomes None."""

    def error_record(self, error: BaseException) -> ErrorRecord | None:
        """Return the ErrorRecord of an exception, None if the run is not recorded."""

    def failure(self, record: ErrorRecord | None) -> Exception:
        """Create an exception from its record."""

    def order(self, key: str) -> int:
        """Return the position of a recorded step among all steps that have ended, to compensate the newest first.

        It is a negative number, because steps that end after the resume are counted from 0.
        """

    def inside(self, path: str) -> list[StepRecord]:
        """Return the records of what is inside the step at a path and matters for a rollback, the oldest first.

        They are the records that have ``inputs`` (see StepRecord), and those of earlier rollbacks.
        """

    def recorded_flow(self, path: str, flow: Flow, compile_text: Callable[[str, str], Flow]) -> Flow:
        """Return the flow of a called task with the text that it had when the run first called it.

        Parameters: ``path`` is the file, ``flow`` what the file contains now. ``compile_text`` compiles the recorded
        text if the file has changed since then.
        """


class NoJournal:
    """Journal of a run that is not recorded: it has no records and ignores all writes."""

    __slots__ = ()

    records = replays = is_broken = False
    problem: TaskrunError | None = None

    def abort(self, error: TaskrunError) -> RunAborted:
        """Return the exception for the caller to raise; nothing is marked."""
        return RunAborted(error)

    def recorded(self, key: str) -> StepRecord | None:
        """Return None: a run that is not recorded has no records."""
        return None

    def remember(self, key: str, make: Callable[[], Any], kind: str = "decision", because: str = "") -> Any:
        """Return what ``make()`` returns: each decision is made anew, and none is recorded."""
        return make()

    def note(self, record: StepRecord) -> None:
        """Do nothing with the record."""

    async def save(self, record: StepRecord, *, shared: bool = True) -> None:
        """Do nothing with the record."""

    async def set_state(self, state: RunState) -> None:
        """Do nothing: no state is stored."""

    def set_state_soon(self, state: RunState) -> None:
        """Do nothing: no state is stored."""

    def request(self, kind: str) -> None:
        """Do nothing: no request is stored, because no process can resume the run."""

    def text(self, value: Any, what: str) -> str:
        """Return an empty text: it is never written."""
        return ""

    def value(self, text: str | None) -> Any:
        """Return None: there is no recorded value."""
        return None

    def error_record(self, error: BaseException) -> ErrorRecord | None:
        """Return None: exceptions are not recorded."""
        return None

    def failure(self, record: ErrorRecord | None) -> Exception:
        """Raise LookupError: there is no recorded exception, so the call is a mistake of the engine."""
        raise LookupError("the run is not recorded, so it has no recorded failure: give TaskManager a store")

    def order(self, key: str) -> int:
        """Raise LookupError: there is no recorded step, so the call is a mistake of the engine."""
        raise LookupError(f"the run is not recorded, so it has no record of '{key}': give TaskManager a store")

    def inside(self, path: str) -> list[StepRecord]:
        """Return an empty list: there are no records."""
        return []

    def recorded_flow(self, path: str, flow: Flow, compile_text: Callable[[str, str], Flow]) -> Flow:
        """Return ``flow`` itself: no earlier text of the called task is recorded."""
        return flow


NO_JOURNAL = NoJournal()
"""The one NoJournal that all runs without records share."""
