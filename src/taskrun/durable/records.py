"""Records of runs: what a store contains about a run and about the process that executes it.

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
    """The process that executes a run: its host, its process id and a random ``token``.

    The token tells the process from a later one to which the operating system gives the same id.
    """

    host: str
    pid: int
    token: str

    @classmethod
    def here(cls) -> Owner:
        """Return a new owner for this process; its token differs from that of all other owners."""
        return cls(socket.gethostname(), os.getpid(), secrets.token_hex(8))

    @property
    def is_dead(self) -> bool:
        """Whether the process is known to have ended.

        False also for a process on another host: this host cannot check it.
        """
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
    """The short fields of a run's record, which are enough for a list of runs.

    ``flow`` is the name of the flow, ``path`` its file, ``sha256`` the hash of its text. ``owner`` is the process that
    executes the run, None if no process does. ``heartbeat`` is the time of the owner's last heartbeat. ``parent`` is
    the id of the run that called this one, ``parent_step`` the path of the calling step; both are None for a run that
    was started from outside.
    """

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
    """The complete record of a run: the fields of RunSummary, and the long ones.

    ``text`` is the text of the flow after its base and deltas were merged. ``sha256`` is computed from it if it is not
    passed. ``inputs``, ``outputs`` and ``waits_for`` (the wait points) are JSON text.
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
    """The fields of a run's record that one write changes; fields that are not in it stay as they are.

    ``owner`` can only be set to None, which ends the ownership. A change of ``text`` changes ``sha256`` too.
    """

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
    """Return the SHA-256 of a text in UTF-8, as hexadecimal digits.

    A text with lone surrogates, which strict UTF-8 cannot encode, has a hash too.
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
