"""Records of steps, and the journal through which a run reads and writes them.

Rules: the kernel knows the journal by the protocol ``RunJournal`` alone. A run that is not recorded has the null object
``NoJournal``: nothing is recorded in it, and writing to it does nothing. Keys are paths of steps; the key of a part of a
step is its path, a colon and the name of the part, such as ``main/loop:items``.
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
    """An exception as text, which can be shown without importing its class.

    ``kind`` is the class with its module, ``group`` the members of an exception group, ``cause`` the exception that led
    to it; ``implicit`` says that the cause was being handled rather than named by ``raise … from``. ``state`` is the JSON
    text of the exception's arguments and attributes (``codec.exception_state``), "" when none of them can be saved.
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
        """Return the record as a dict that JSON can represent."""
        return {name: getattr(self, name) for name in self.__slots__} | {
            "notes": list(self.notes),
            "cause": self.cause and self.cause.as_json(),
            "group": [member.as_json() for member in self.group],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ErrorRecord:
        """Return the record that ``as_json`` converted to ``data``."""
        group, cause = tuple(map(cls.from_json, data["group"])), data["cause"] and cls.from_json(data["cause"])
        return cls(**{**data, "notes": tuple(data["notes"]), "cause": cause, "group": group})

    def __str__(self) -> str:
        return f"{self.kind.removeprefix('builtins.')}: {self.message}"


class StepRecord(NamedTuple):
    """The record of one execution of a step, or of a part of it: an item, a decision, a rollback.

    ``key`` is the path in the run, ``outputs`` JSON text; ``signal`` and ``target`` are those of the completion; ``note``
    explains the record to people, for example why the step was skipped. ``inputs`` is JSON text: the inputs that a
    container began with, or the values that compensating a succeeded step needs (None: it cannot be compensated).
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
    """The journal of a run, as the kernel uses it: recorded values, and writes that make new ones."""

    @property
    def records(self) -> bool:
        """Whether the run is recorded."""

    @property
    def replays(self) -> bool:
        """Whether the run was resumed and has records of its earlier execution."""

    @property
    def problem(self) -> TaskrunError | None:
        """Why the run must end at once, None while it may continue."""

    @property
    def is_broken(self) -> bool:
        """Whether records can no longer be written."""

    def abort(self, error: TaskrunError) -> RunAborted:
        """Return the exception that aborts the run, and stop its other branches."""

    def recorded(self, key: str) -> StepRecord | None:
        """Return the record that an earlier execution of the run left under a key, None without one."""

    def remember(self, key: str, make: Callable[[], Any], kind: str = "decision", because: str = "") -> Any:
        """Return the recorded value of a decision; without one, call ``make`` and record its value."""

    def note(self, record: StepRecord) -> None:
        """Write a record with the next commit."""

    async def save(self, record: StepRecord, *, shared: bool = True) -> None:
        """Write a record and return when it is committed."""

    async def set_state(self, state: RunState) -> None:
        """Write the state of the run and return when it is committed."""

    def set_state_soon(self, state: RunState) -> None:
        """Write the state of the run with the next commit."""

    def request(self, kind: str) -> None:
        """Store a request such as ``cancel``, so that a process that resumes the run finds it."""

    def text(self, value: Any, what: str) -> str:
        """Return the JSON text of a value; UnsavableValueError names ``what`` it belongs to."""

    def value(self, text: str | None) -> Any:
        """Return the value of a JSON text, None for None."""

    def error_record(self, error: BaseException) -> ErrorRecord | None:
        """Return the record of an exception."""

    def failure(self, record: ErrorRecord | None) -> Exception:
        """Return the exception that a record describes."""

    def order(self, key: str) -> int:
        """Return the position of a recorded step among the completions of the run: a number below 0."""

    def inside(self, path: str) -> list[StepRecord]:
        """Return the records inside the step at a path that matter for a rollback, the oldest first."""

    def recorded_flow(self, path: str, flow: Flow, compile_text: Callable[[str, str], Flow]) -> Flow:
        """Return the flow of a called task as it was when the run called it first."""


class NoJournal:
    """The journal of a run that is not recorded: it has no records and ignores writes."""

    __slots__ = ()

    records = replays = is_broken = False
    problem: TaskrunError | None = None

    def abort(self, error: TaskrunError) -> RunAborted:
        """Return the exception that aborts the run."""
        return RunAborted(error)

    def recorded(self, _key: str) -> StepRecord | None:
        """Return None."""
        return None

    def remember(self, _key: str, make: Callable[[], Any], _kind: str = "decision", _because: str = "") -> Any:
        """Return what ``make`` returns."""
        return make()

    def note(self, record: StepRecord) -> None:
        """Ignore the record."""

    async def save(self, record: StepRecord, *, shared: bool = True) -> None:
        """Ignore the record."""

    async def set_state(self, state: RunState) -> None:
        """Ignore the state."""

    def set_state_soon(self, state: RunState) -> None:
        """Ignore the state."""

    def request(self, kind: str) -> None:
        """Ignore the request."""

    def text(self, _value: Any, _what: str) -> str:
        """Return an empty text."""
        return ""

    def value(self, _text: str | None) -> Any:
        """Return None."""
        return None

    def error_record(self, _error: BaseException) -> ErrorRecord | None:
        """Return None."""
        return None

    def failure(self, _record: ErrorRecord | None) -> Exception:
        """Raise LookupError: nothing is recorded."""
        raise LookupError("a run that is not recorded has no recorded failures")

    def order(self, key: str) -> int:
        """Raise LookupError: nothing is recorded."""
        raise LookupError(key)

    def inside(self, _path: str) -> list[StepRecord]:
        """Return no records."""
        return []

    def recorded_flow(self, _path: str, flow: Flow, _compile_text: Callable[[str, str], Flow]) -> Flow:
        """Return the flow itself."""
        return flow


NO_JOURNAL = NoJournal()
"""The one null journal, which all runs that are not recorded share."""
