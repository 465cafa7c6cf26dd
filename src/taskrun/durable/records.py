"""What is written down of a run: the run, its steps, its owner and its failure, as frozen records.

Rules: a record holds text and numbers only. Values (inputs, outputs, what a run waits for) are the JSON text that
``codec.codec`` makes of them, so that a store keeps text and never meets an object. Times are seconds since 1970.
The states of a run and how they follow each other are one table, and every store asks it.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

from taskrun.codec.exception_state import dump_exception
from taskrun.core.completion import Signal
from taskrun.core.states import RunState, StepState
from taskrun.errors import RecordedError

if TYPE_CHECKING:
    from taskrun.codec.codec import Codecs

_DEEPEST = 100
"""How many causes of causes, and groups in groups, are recorded."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that works on a run. ``token`` tells it from a later process with the same number."""

    host: str
    pid: int
    token: str

    @classmethod
    def here(cls) -> Owner:
        """Return an owner that stands for this process, different from all others."""
        return cls(socket.gethostname(), os.getpid(), secrets.token_hex(8))

    @property
    def is_dead(self) -> bool:
        """Whether the owner is known to be gone; of a process on another host nothing is known."""
        if self.host != socket.gethostname():
            return False
        try:
            os.kill(self.pid, 0)
        except (ProcessLookupError, OverflowError):
            return True
        except PermissionError:
            return False
        return False

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """A failure as text: nothing of it needs to be pickled or imported to be shown.

    ``kind`` is the class with its module, ``group`` the members of a group, ``cause`` the exception that led to it:
    ``implicit`` says that it was being handled, and not named by ``raise … from``. ``state`` is the JSON text of what
    the exception is made of (``codec.exception_state``), "" when nothing of that can be saved.
    """

    kind: str
    message: str
    traceback: str = ""
    notes: tuple[str, ...] = ()
    cause: ErrorRecord | None = None
    group: tuple[ErrorRecord, ...] = ()
    state: str = ""
    implicit: bool = False

    @classmethod
    def of(cls, error: BaseException, codecs: Codecs | None = None) -> ErrorRecord:
        """Return the record of an exception; one whose own text fails is still recorded.

        ``codecs`` save what it is made of, as far as they can; by default those that taskrun has itself. Of causes and
        groups that are nested deeper than 100 levels the rest is left out.
        """
        if codecs is None:
            from taskrun.codec.codec import Codecs

            codecs = Codecs()
        return cls._of(error, codecs, frozenset())

    @classmethod
    def _of(cls, error: BaseException, codecs: Codecs, seen: frozenset[int]) -> ErrorRecord:
        notes = tuple(map(str, vars(error).get("__notes__", ())))
        if isinstance(error, RecordedError) and isinstance(error.record, cls):
            return replace(error.record, notes=notes)  # it only stands for what the record is about
        seen |= {id(error)}
        cause = error.__context__ if error.__cause__ is None and not error.__suppress_context__ else error.__cause__
        members = error.exceptions if isinstance(error, BaseExceptionGroup) else ()

        def follow(other: BaseException) -> bool:
            return id(other) not in seen and len(seen) < _DEEPEST

        try:
            message = str(error)
        except Exception as problem:  # noqa: BLE001  # a class of the user's: its __str__ may do anything
            message = f"<its text cannot be had: {type(problem).__name__}>"
        return cls(
            f"{type(error).__module__}.{type(error).__qualname__}",
            message,
            "".join(traceback.format_tb(error.__traceback__)),
            notes,
            cls._of(cause, codecs, seen) if cause is not None and follow(cause) else None,
            tuple(cls._of(member, codecs, seen) for member in members if follow(member)),
            dump_exception(error, codecs),
            implicit=error.__cause__ is None and cause is not None,
        )

    def as_json(self) -> dict[str, Any]:
        """Return the record as what JSON can hold."""
        return {name: getattr(self, name) for name in self.__slots__} | {
            "notes": list(self.notes),
            "cause": self.cause and self.cause.as_json(),
            "group": [member.as_json() for member in self.group],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ErrorRecord:
        """Return the record of which ``as_json`` made ``data``."""
        group, cause = tuple(map(cls.from_json, data["group"])), data["cause"] and cls.from_json(data["cause"])
        return cls(**{**data, "notes": tuple(data["notes"]), "cause": cause, "group": group})

    def __str__(self) -> str:
        return f"{self.kind.removeprefix('builtins.')}: {self.message}"


class StepRecord(NamedTuple):
    """What is known of one execution of a step, an item, a decision or an undoing; ``key`` is its path in the run.

    ``outputs`` is JSON text; ``signal`` and ``target`` are those of the completion; ``note`` says in words what a
    reader wants to know, for example why the step was left out. ``inputs`` is JSON text too: with what a container
    has begun, and what is needed to undo a step that succeeded, which is undone only when it is there.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """What a list of runs shows of each: everything that is short."""

    run_id: str
    flow: str
    version: str = ""
    path: str = ""
    sha256: str = ""
    state: RunState = RunState.CREATED
    owner: Owner | None = None
    epoch: int = 1
    heartbeat: float | None = None
    created: float = 0.0
    started: float | None = None
    ended: float | None = None
    parent: str | None = None
    parent_step: str | None = None
    error: ErrorRecord | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord(RunSummary):
    """A run: its flow with the text that was merged for it, what it was given, where it stands, what it gave.

    ``inputs``, ``outputs`` and ``waits_for`` are JSON text. ``sha256``, of ``text``, is worked out when it is empty.
    """

    text: str = ""
    flags: frozenset[str] = frozenset()
    inputs: str = "{}"
    outputs: str | None = None
    waits_for: str | None = None

    def __post_init__(self) -> None:
        if not self.sha256:
            object.__setattr__(self, "sha256", sha256_of(self.text))


class RunChanges(TypedDict, total=False):
    """What may be changed of a run, in a write. A new ``text`` brings its own hash; ``owner`` can be given up only."""

    state: RunState
    owner: None
    version: str
    path: str
    text: str
    flags: frozenset[str]
    inputs: str
    outputs: str | None
    waits_for: str | None
    error: ErrorRecord | None
    started: float | None
    ended: float | None


def sha256_of(text: str) -> str:
    """Return the SHA-256 of a text as UTF-8, in hexadecimal; lone surrogates are hashed as they are."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
