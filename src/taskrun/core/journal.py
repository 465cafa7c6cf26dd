"""Records of steps, and the protocol of the journal that stores them.

Rules: the kernel uses only the protocol ``RunJournal``; ``durable.recorder`` implements it. A run that is not recorded
has the null object ``NoJournal``, which contains no records and ignores writes. The key of a record is the path of a
step; for a part of a step it is the path, a colon and the name of the part, such as ``main/loop:items``.
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
    """Record of an exception as text, which can be shown without importing its class.

    ``kind`` is the class with its module, ``group`` the members of an exception group, ``cause`` the ``__cause__`` of
    the exception, or its ``__context__`` if ``implicit`` is True. ``state`` is the JSON text of its arguments and
    attributes (``codec.exception_state``), "" if none of them can be saved.
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
    """Record of one execution of a step, or of a part of it: an item, a decision, a rollback.

    ``key`` is the path in the run, ``outputs`` JSON text; ``signal`` and ``target`` are those of the completion;
    ``note`` is a comment for people, for example why the step was skipped. ``inputs`` is JSON text: the inputs of a
    container that has begun, or the values that the compensation of a succeeded step needs (None: it has no
    compensation). ``started`` and ``ended`` are seconds since 1970.
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
    """Protocol of the journal of a run: reads its records, and writes new ones."""

    @property
    def records(self) -> bool:
        """Whether the run is recorded."""

    @property
    def replays(self) -> bool:
        """Whether the run was resumed and has records of its earlier execution."""

    @property
    def problem(self) -> TaskrunError | None:
        """The error because of which the run must be aborted, None while it may continue."""

    @property
    def is_broken(self) -> bool:
        """Whether records can no longer be written."""

    def abort(self, error: TaskrunError) -> RunAborted:
        """Return the exception that aborts the run because of ``error``; its other branches end too."""

    def recorded(self, key: str) -> StepRecord | None:
        """Return the record of a key from an earlier execution of the run, None if there is none."""

    def remember(self, key: str, make: Callable[[], Any], kind: str = "decision", because: str = "") -> Any:
        """Return the recorded value of a decision; if there is none, call ``make`` and record its value.

        Parameters: ``kind`` is the kind of the record, ``because`` the text of the script that makes the decision.
        """

    def note(self, record: StepRecord) -> None:
        """Write a record with the next commit."""

    async def save(self, record: StepRecord, *, shared: bool = True) -> None:
        """Write a record and return when it is committed; ``shared`` allows other branches to join the commit."""

    async def set_state(self, state: RunState) -> None:
        """Write the state of the run and return when it is committed."""

    def set_state_soon(self, state: RunState) -> None:
        """Write the state of the run with the next commit."""

    def request(self, kind: str) -> None:
        """Store a request such as ``cancel``, so that a process that resumes the run finds it."""

    def text(self, value: Any, what: str) -> str:
        """Return the JSON text of a value; raise UnsavableValueError, which names ``what``, if it has none."""

    def value(self, text: str | None) -> Any:
        """Return the value of a JSON text, None for None."""

    def error_record(self, error: BaseException) -> ErrorRecord | None:
        """Return the record of an exception, None if the run is not recorded."""

    def failure(self, record: ErrorRecord | None) -> Exception:
        """Return the exception that a record describes."""

    def order(self, key: str) -> int:
        """Return the rank of a recorded step among all completions: a negative number, as it precedes new ones."""

    def inside(self, path: str) -> list[StepRecord]:
        """Return the records inside the step at a path that matter for a rollback, the oldest first."""

    def recorded_flow(self, path: str, flow: Flow, compile_text: Callable[[str, str], Flow]) -> Flow:
        """Return the flow of a called task as it was at its first call in the run.

        Parameters: ``path`` is the file, ``flow`` the present flow, ``compile_text`` compiles the recorded text if it
        differs.
        """


class NoJournal:
    """Null journal of a run that is not recorded: contains no records and ignores writes."""

    __slots__ = ()

    records = replays = is_broken = False
    problem: TaskrunError | None = None

    def abort(self, error: TaskrunError) -> RunAborted:
        """Return the exception that aborts the run because of ``error``."""
        return RunAborted(error)

    def recorded(self, key: str) -> StepRecord | None:
        """Return None: there are no records."""
        return None

    def remember(self, key: str, make: Callable[[], Any], kind: str = "decision", because: str = "") -> Any:
        """Return ``make()``; decisions are not recorded."""
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

    def text(self, value: Any, what: str) -> str:
        """Return an empty text."""
        return ""

    def value(self, text: str | None) -> Any:
        """Return None: no value is recorded."""
        return None

    def error_record(self, error: BaseException) -> ErrorRecord | None:
        """Return None: exceptions are not recorded."""
        return None

    def failure(self, record: ErrorRecord | None) -> Exception:
        """Raise LookupError: no exception is recorded."""
        raise LookupError("the run is not recorded, so it has no recorded failure: give TaskManager a store")

    def order(self, key: str) -> int:
        """Raise LookupError: no step is recorded."""
        raise LookupError(f"the run is not recorded, so it has no record of '{key}': give TaskManager a store")

    def inside(self, path: str) -> list[StepRecord]:
        """Return an empty list: there are no records."""
        return []

    def recorded_flow(self, path: str, flow: Flow, compile_text: Callable[[str, str], Flow]) -> Flow:
        """Return ``flow``: no earlier text of it is recorded."""
        return flow


NO_JOURNAL = NoJournal()
"""The null journal of all runs that are not recorded."""
