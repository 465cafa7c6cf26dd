"""Execution of a child process together with all processes that it starts.

Rules: the child leads a session and process group of its own, to which the processes that it starts belong too. So
Ctrl-C in the terminal reaches only this process, which then ends the group. The group is ended when the child has
ended, and when the caller is cancelled: its processes get SIGTERM and, after ``GRACE`` seconds, SIGKILL. A second
cancellation sends SIGKILL at once. A process that leaves the group (``setsid``) survives. This module creates the pipes
for the output itself: asyncio would report the end of the child only when all its descendants have closed the pipes.
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

_POLL_INTERVAL = 0.02
_CHUNK_BYTES = 65_536

LineCallback = Callable[[str, str], None]
"""A function that receives the name of a stream (``stdout`` or ``stderr``) and a line without its end."""


class ProcessResult(NamedTuple):
    """Exit status and output of a process; after a signal ``status`` is the negative number of the signal."""

    status: int
    stdout: str
    stderr: str

    @property
    def signal_name(self) -> str:
        """The name of the signal that ended the process, ``""`` if it ended by itself."""
        if self.status >= 0:
            return ""
        with suppress(ValueError):
            return signal.Signals(-self.status).name
        return f"signal {-self.status}"


class OutputLimitError(Exception):
    """Raised when a process writes too many bytes to one of its output streams.

    ``stream`` is ``stdout`` or ``stderr``.
    """

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.stream = stream


async def run_process(
    arguments: Sequence[str],
    variables: Mapping[str, str],
    *,
    max_bytes: int,
    on_line: LineCallback | None = None,
    stdin: bytes | None = None,
    cwd: str | None = None,
) -> ProcessResult:
    """Run a program and return its exit status and output.

    Parameters: ``arguments`` are the program and its arguments, ``variables`` its whole environment; ``max_bytes``
    limits each output stream; ``on_line`` is called with each line as it is written; ``stdin`` is its standard input,
    empty by default; ``cwd`` is its working folder, by default the current one.
    Raises OSError if the program cannot be started, ValueError for arguments that cannot be passed to a program, and
    OutputLimitError, after ending the process group, if a stream exceeds ``max_bytes``. A cancellation ends the process
    group before it is raised.
    """
    streams = [OutputPipe(name, max_bytes, on_line) for name in ("stdout", "stderr")]
    readers: list[asyncio.Task[None]] = []
    try:
        readers += [asyncio.create_task(await stream.open_reader()) for stream in streams]
        out, err = (stream.writing for stream in streams)
        process = await _start(arguments, stdin, env=variables, cwd=cwd, stdout=out, stderr=err)
        for stream in streams:
            stream.close_writing()
        try:
            await _wait_for_end(process, readers)
        finally:
            await _end_group(process)
        await asyncio.wait(readers, timeout=GRACE)  # processes that left the group may keep the pipes open
        for reader in readers:
            if reader.done():
                reader.result()
        return ProcessResult(process.returncode or 0, *(stream.text for stream in streams))
    finally:
        for reader in readers:
            reader.cancel()
        for stream in streams:
            stream.close()


async def _start(arguments: Sequence[str], input_bytes: bytes | None, **settings: Any) -> Process:
    """Start a program with the given standard input and return its process.

    If the caller is cancelled while the program starts, the program is ended again.
    """
    stdin = DEVNULL if input_bytes is None else PIPE
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(*arguments, stdin=stdin, start_new_session=True, **settings)
    )
    try:
        process = await asyncio.shield(starting)
    except asyncio.CancelledError:
        with suppress(OSError, ValueError):
            await _end_group(await starting)
        raise
    if input_bytes is not None and process.stdin is not None:
        process.stdin.write(input_bytes)
        process.stdin.close()  # asyncio closes it after writing its buffer
    return process


async def _wait_for_end(process: Process, readers: Sequence[asyncio.Task[None]]) -> None:
    """Wait until the process ends, while ``readers`` read its output; raises the error of a reader that fails."""
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
    """End the processes that remain in the group of a child process, and wait until the child has ended."""
    group = process.pid  # the number is not reused as long as the group has a member
    if _send_signal(group, signal.SIGTERM):
        try:
            for _ in range(round(GRACE / _POLL_INTERVAL)):
                if not _send_signal(group, 0) or _has_only_zombies(group):
                    break
                await asyncio.sleep(_POLL_INTERVAL)
        except asyncio.CancelledError:
            _send_signal(group, signal.SIGKILL)
            await process.wait()
            raise
        _send_signal(group, signal.SIGKILL)
    await process.wait()


def _has_only_zombies(group: int) -> bool:
    """Return whether all processes of a group have ended and only wait to be removed (zombies).

    In a container without an init process nobody removes them, so the group would never disappear.
    """
    states = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # the process ended meanwhile
            fields = entry.read_text("utf-8", "replace").rpartition(")")[2].split()
            if int(fields[2]) == group:
                states.add(fields[0])
    return bool(states) and states <= {"Z", "X"}


def _send_signal(group: int, number: int) -> bool:
    """Send a signal to a process group; return False if the group does not exist or may not be signalled."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


class OutputPipe:
    """Pipe for one output stream of a process: reads it, limits its size and reports its lines."""

    def __init__(self, name: str, max_bytes: int, on_line: LineCallback | None) -> None:
        self.writing: int = -1
        self._name = name
        self._max_bytes = max_bytes
        self._on_line = on_line
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._pieces: list[str] = []
        self._line = ""
        self._transport: asyncio.ReadTransport | None = None

    @property
    def text(self) -> str:
        """The text that was read so far."""
        return "".join(self._pieces)

    async def open_reader(self) -> Coroutine[Any, Any, None]:
        """Open the pipe and return the coroutine that reads it to its end.

        The coroutine raises OutputLimitError if the process writes too much.
        """
        reading, self.writing = os.pipe()
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        pipe = os.fdopen(reading, "rb", buffering=0)
        self._transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
        return self._read(reader)

    def close_writing(self) -> None:
        """Close the end for writing in this process, so that the pipe ends when the child closes its copy."""
        if self.writing >= 0:
            os.close(self.writing)
            self.writing = -1

    def close(self) -> None:
        """Close both ends of the pipe."""
        self.close_writing()
        if self._transport is not None:
            self._transport.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Read the pipe to its end; raises OutputLimitError if the process writes too much."""
        size = 0
        while chunk := await reader.read(_CHUNK_BYTES):
            size += len(chunk)
            if size > self._max_bytes:
                raise OutputLimitError(self._name)
            self._append(self._decoder.decode(chunk))
        self._append(self._decoder.decode(b"", final=True))
        if self._on_line and self._line:
            self._on_line(self._name, self._line)

    def _append(self, text: str) -> None:
        """Store text that was read, and pass the lines that it completes to the callback ``on_line``."""
        self._pieces.append(text)
        if self._on_line is None:
            return
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._on_line(self._name, line)
        if len(self._line) > _CHUNK_BYTES:  # report a very long line in parts
            self._on_line(self._name, self._line)
            self._line = ""
