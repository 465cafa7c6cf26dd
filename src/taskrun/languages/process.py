"""A process with everything that it starts: run to its end, or ended.

Rules: it leads a session and a process group of its own, so a Ctrl-C of the terminal reaches this process only, which
ends the group. Whatever of the group is left when its leader is done, or when the caller is cancelled, gets SIGTERM and,
``GRACE`` seconds later, SIGKILL; a second cancellation does not wait. Only what leaves the group by itself (``setsid``)
survives. The pipes are this module's own, because asyncio would wait for them to close before it tells of the end.
"""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from codecs import getincrementaldecoder
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL."""

_BETWEEN_LOOKS = 0.02
_CHUNK = 65_536

Watch = Callable[[str, str], None]


class Ended(NamedTuple):
    """How a process ended: its status (negative for a signal) and what it wrote."""

    status: int
    stdout: str
    stderr: str

    @property
    def signal_name(self) -> str:
        """The name of the signal that ended it, ``""`` when none did."""
        if self.status >= 0:
            return ""
        with suppress(ValueError):
            return signal.Signals(-self.status).name
        return f"signal {-self.status}"


class TooMuchError(Exception):
    """A process wrote more than it may to ``stream``."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.stream = stream


async def run_process(
    words: Sequence[str],
    variables: Mapping[str, str],
    *,
    most: int,
    watch: Watch | None = None,
    stdin: bytes | None = None,
    cwd: str | None = None,
) -> Ended:
    """Run a program to its end and return how that was; ``watch`` gets each line as it is written.

    ``stdin`` is what it reads (nothing by default), ``cwd`` the folder that it runs in (by default the current one).
    Raises OSError, or ValueError for words that no program can get, when it cannot be started, and TooMuchError (after ending it) when it writes more than ``most`` bytes
    to one stream. When this is cancelled, the process group is ended first.
    """
    streams = [Stream(name, most, watch) for name in ("stdout", "stderr")]
    readers: list[asyncio.Task[None]] = []
    try:
        readers += [asyncio.create_task(await stream.opened()) for stream in streams]
        out, err = (stream.writing for stream in streams)
        process = await _start(words, stdin, env=variables, cwd=cwd, stdout=out, stderr=err)
        for stream in streams:
            stream.close_writing()
        try:
            await _ended(process, readers)
        finally:
            await _end_group(process)
        await asyncio.wait(readers, timeout=GRACE)  # what left the group may hold the pipes open
        for reader in readers:
            if reader.done():
                reader.result()
        return Ended(process.returncode or 0, *(stream.text for stream in streams))
    finally:
        for reader in readers:
            reader.cancel()
        for stream in streams:
            stream.close()


async def _start(words: Sequence[str], given: bytes | None, **settings: Any) -> Process:
    """Start a program that reads ``given``; when this is cancelled meanwhile, end it."""
    stdin = DEVNULL if given is None else PIPE
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(*words, stdin=stdin, start_new_session=True, **settings)
    )
    try:
        process = await asyncio.shield(starting)
    except asyncio.CancelledError:
        with suppress(OSError, ValueError):
            await _end_group(await starting)
        raise
    if given is not None and process.stdin is not None:
        process.stdin.write(given)
        process.stdin.close()  # once what is buffered was written
    return process


async def _ended(process: Process, readers: Sequence[asyncio.Task[None]]) -> None:
    """Wait for the end of a process, or for a reader that fails."""
    waiting = asyncio.ensure_future(process.wait())
    pending: set[asyncio.Future[Any]] = {waiting, *readers}
    try:
        while not waiting.done():
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    finally:
        waiting.cancel()


async def _end_group(process: Process) -> None:
    """End what is left of a process group."""
    group = process.pid  # not given to another process as long as the group has a member
    if _signalled(group, signal.SIGTERM):
        try:
            for _ in range(round(GRACE / _BETWEEN_LOOKS)):
                if not _signalled(group, 0) or _is_dead(group):
                    break
                await asyncio.sleep(_BETWEEN_LOOKS)
        except asyncio.CancelledError:
            _signalled(group, signal.SIGKILL)
            await process.wait()
            raise
        _signalled(group, signal.SIGKILL)
    await process.wait()


def _is_dead(group: int) -> bool:
    """Whether a process group has zombies only: where nobody collects orphans, as in many containers, they stay."""
    states = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended meanwhile
            fields = entry.read_text("utf-8", "replace").rpartition(")")[2].split()
            if int(fields[2]) == group:
                states.add(fields[0])
    return bool(states) and states <= {"Z", "X"}


def _signalled(group: int, number: int) -> bool:
    """Send a signal to a process group and return whether anybody got it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


class Stream:
    """One of the streams that a process writes, and what has come of it."""

    def __init__(self, name: str, most: int, watch: Watch | None) -> None:
        self.writing = -1
        self._name = name
        self._most = most
        self._watch = watch
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._pieces: list[str] = []
        self._line = ""
        self._transport: asyncio.ReadTransport | None = None

    @property
    def text(self) -> str:
        """What has been read so far."""
        return "".join(self._pieces)

    async def opened(self) -> Coroutine[Any, Any, None]:
        """Open the pipe and return what reads it to its end; it raises TooMuchError."""
        reading, self.writing = os.pipe()
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        pipe = os.fdopen(reading, "rb", buffering=0)
        self._transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
        return self._read(reader)

    def close_writing(self) -> None:
        """Close this process's copy of the end that is written to."""
        if self.writing >= 0:
            os.close(self.writing)
            self.writing = -1

    def close(self) -> None:
        """Close the pipe."""
        self.close_writing()
        if self._transport is not None:
            self._transport.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        size = 0
        while chunk := await reader.read(_CHUNK):
            size += len(chunk)
            if size > self._most:
                raise TooMuchError(self._name)
            self._take(self._decoder.decode(chunk))
        self._take(self._decoder.decode(b"", final=True))
        if self._watch and self._line:
            self._watch(self._name, self._line)

    def _take(self, text: str) -> None:
        self._pieces.append(text)
        if self._watch is None:
            return
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._watch(self._name, line)
        if len(self._line) > _CHUNK:  # nobody shows lines that long
            self._watch(self._name, self._line)
            self._line = ""
