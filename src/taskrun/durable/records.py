"""Records of runs: the data that a store has of a run and of its owner.

Rules: a record consists of texts and numbers only. Values (inputs, outputs, wait points) are JSON text from
``codec.codec``, so that a store never handles Python objects. Times are seconds since 1970.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
from dataclasses import dataclass
from typing import TypedDict

from taskrun.core.journal import ErrorRecord
from taskrun.core.states import RunState


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that executes a run; ``token`` distinguishes it from a later process with the same id."""

    host: str
    pid: int
    token: str

    @classmethod
    def here(cls) -> Owner:
        """Return a new owner for this process; its token differs from that of all other owners."""
        return cls(socket.gethostname(), os.getpid(), secrets.token_hex(8))

    @property
    def is_dead(self) -> bool:
        """Whether the process does not exist any more; False for a process on another host, which cannot be checked."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """Summary of a run: the short fields, which lists of runs show."""

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
    """All fields of a run: those of RunSummary, the text of its flow, its flags, inputs, outputs and wait points.

    ``inputs``, ``outputs`` and ``waits_for`` are JSON text. ``text`` is the merged text of the flow; ``sha256`` is
    computed from it unless it is given.
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
    """Fields of a run that a write changes; ``owner`` can only be removed, and ``text`` changes ``sha256`` too."""

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
    """Return the SHA-256 of a text as UTF-8, in hexadecimal digits; lone surrogates are allowed."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
