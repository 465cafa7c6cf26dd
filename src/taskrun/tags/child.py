"""A child process of a tag: what it prints is collected up to a limit, and it ends with all that it started.

Rules: the child leads a session and a process group of its own; ending it is SIGTERM to the whole group and, for those
that are still there after ``GRACE`` seconds, SIGKILL. What left the group (``setsid``) is not followed.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

GRACE = 2.0
"""Seconds that a process group has between SIGTERM and SIGKILL."""

_POLL = 0.02


class Child(asyncio.SubprocessProtocol):
    """A started process.

    Parameters: ``most`` is the number of bytes that each of its outputs may have. ``done`` is set when it has ended and
    both of its outputs are closed, or when one of them is too long: then ``overflow`` is its name.
    """

    def __init__(self, most: int) -> None:
        self.done = asyncio.Event()
        self.overflow = ""
        self.pid = 0
        self._exited = asyncio.Event()
        self._most = most
        self._parts: dict[int, bytearray] = {1: bytearray(), 2: bytearray()}

    def output(self, number: int) -> bytes:
        """Return what the child wrote to its descriptor ``number``, 1 or 2."""
        return bytes(self._parts[number])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the process's number."""
        if isinstance(transport, asyncio.SubprocessTransport):
            self.pid = transport.get_pid()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Keep what was printed, up to the limit."""
        kept = self._parts[fd]
        kept += data[: self._most - len(kept) + 1]
        if len(kept) > self._most:
            self.overflow = "stdout" if fd == 1 else "stderr"
            self.done.set()

    def process_exited(self) -> None:
        """Note that the process has ended; others may still have its pipes."""
        self._exited.set()

    def connection_lost(self, _exc: Exception | None) -> None:
        """Note that the process has ended and its pipes are closed."""
        self.done.set()

    async def stop(self) -> None:
        """End the whole process group; cancelled, it is killed at once."""
        try:
            self._signal(signal.SIGTERM)
            async with asyncio.timeout(GRACE):
                while self._signal(0) and not (self._exited.is_set() and _is_dead(self.pid)):  # noqa: ASYNC110  nobody tells
                    await asyncio.sleep(_POLL)
        except TimeoutError:
            pass
        finally:
            self._signal(signal.SIGKILL)
            # the loop hears of the end from a thread: whoever closes it before that gets warnings
            with suppress(TimeoutError):
                await asyncio.wait_for(self._exited.wait(), GRACE)

    def _signal(self, number: int) -> bool:
        """Send a signal to the group; False when no process is left in it."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)
            return True
        return False


def _is_dead(group: int) -> bool:
    """Whether a process group has zombies only: where nobody collects orphans, as in many containers, they stay."""
    states = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended meanwhile
            fields = entry.read_text("utf-8", "replace").rpartition(")")[2].split()
            if int(fields[2]) == group:
                states.add(fields[0])
    return bool(states) and states <= {"Z", "X"}


async def start(
    args: list[str], most: int, *, stdin: bytes | None, env: dict[str, str], cwd: str | None
) -> tuple[asyncio.SubprocessTransport, Child]:
    """Start a program without a shell; a cancellation meanwhile waits for it to be there, and ends it.

    Parameters: ``most`` is the limit of each output in bytes; ``stdin`` is written to it, None is an empty input.
    Returns the transport, to be closed, and the process. Raises OSError or ValueError when it cannot be started.
    """
    starting = asyncio.ensure_future(
        asyncio.get_running_loop().subprocess_exec(
            lambda: Child(most),
            *args,
            stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
            env=env,
            cwd=cwd,
            start_new_session=True,
        )
    )
    try:
        transport, child = await asyncio.shield(starting)
    except asyncio.CancelledError:
        with suppress(OSError, ValueError):
            transport, child = await starting
            await child.stop()
            transport.close()
        raise
    if stdin is not None and isinstance(pipe := transport.get_pipe_transport(0), asyncio.WriteTransport):
        pipe.write(stdin)
        pipe.close()  # after what is buffered was written
    return transport, child
