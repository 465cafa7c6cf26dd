"""Console transcripts: commands and what they print, as pages show them and tests hold the command line to it.

    $ taskrun hello.task.xml --input who=Ada
    {"greeting": "Hello, Ada!"}
    $ echo $?
    0

Rules: what a command writes to standard error stands before what it writes to standard output. ``…`` stands for any
text within a line, a line of ``…`` alone for any number of lines. A command is ``taskrun``, with ``NAME=value`` before
it if need be, or ``echo $?``; anything else in a transcript is an error, so that nothing is shown that is not run.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from taskrun.cli import main

ANYTHING = "…"


def commands(transcript: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a transcript and its expected output."""
    command, shown = "", ""
    for line in transcript.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, shown
            command, shown = line[2:], ""
        elif command.endswith("\\"):
            command = f"{command[:-1].rstrip()} {line.strip()}"
        else:
            assert command, f"no command before: {line}"
            shown += line + "\n"
    yield command, shown


def check_transcript(transcript: str, folder: Path) -> None:
    """Run the commands in ``folder`` and compare their output."""
    status = 0
    for command, shown in commands(transcript):
        if command == "echo $?":
            printed = f"{status}\n"
        else:
            status, printed = run(command, folder)
        assert agrees(shown, printed), f"'{command}' prints:\n{printed}"


def agrees(shown: str, printed: str) -> bool:
    """Return whether the output matches the expected text, in which ``…`` stands for anything."""
    pattern = ""
    for line in shown.splitlines():
        if line.strip() == ANYTHING:
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(map(re.escape, line.rstrip().split(ANYTHING))) + r"[ ]*\n"
    return re.fullmatch(pattern, printed) is not None


def run(command: str, folder: Path) -> tuple[int, str]:
    """Run a ``taskrun`` command in ``folder`` and return its exit status and output."""
    words = shlex.split(command)
    settings = {}
    while words and re.match(r"\w+=", words[0]):
        name, _, value = words.pop(0).partition("=")
        settings[name] = value
    assert words[:1] == ["taskrun"], f"only taskrun is run here, not: {command}"
    out, err = io.StringIO(), io.StringIO()
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(_process(settings, folder))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        try:
            status = main(words[1:])
        except SystemExit as end:
            status = int(end.code or 0)
    return status, err.getvalue() + out.getvalue()


@contextlib.contextmanager
def _process(settings: dict[str, str], folder: Path) -> Iterator[None]:
    """Imitate a process of its own for a block: afterwards restore environment, import path, and modules of ``folder``."""
    environment, path = dict(os.environ), list(sys.path)
    os.environ.update(settings)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(environment)
        sys.path[:] = path
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if file and Path(file).absolute().is_relative_to(folder.absolute()):
                del sys.modules[name]
