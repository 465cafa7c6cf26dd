"""Records of a run: its state, its owner, its flow, as frozen data.

Rules: a record holds text and numbers only. Values (inputs, outputs, wait points) are the JSON text that ``codec.codec``
makes of them, so a store never handles Python objects. Times are seconds since 1970.
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
