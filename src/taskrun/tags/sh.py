"""Tag library ``sh``: runs programs.

    <sh:Run args="${['git', 'log', '-1']}" cwd="repository"/>

Rules: the arguments are a list and are passed unchanged. No shell is used, so nothing has to be quoted, and no text in
an argument can become a command. Output is decoded as UTF-8; malformed bytes are replaced. When the program ends or the
tag is cancelled, all processes that the program started are ended (``languages.process``). Messages name the program
but not its arguments, which may be secret.
"""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from typing import Any

from taskrun.errors import ShellError, near_hint
from taskrun.languages.process import OutputLimitError, ProcessResult, run_process
from taskrun.tags.context import TagContext

__all__ = ["run"]

MAX_OUTPUT = 16 * 1024 * 1024
"""The default maximum size of each output stream: 16 MiB."""

_MAX_SHOWN = 2_000
_MAX_PROGRAMS = 20_000


async def run(
    args: list[str],
    *,
    stdin: str | None = None,
    env: dict[str, str | None] | None = None,
    cwd: str | None = None,
    check: bool = True,
    maxBytes: int = MAX_OUTPUT,
    context: TagContext,
) -> dict[str, Any]:
    """Run a program, wait for its end, and return its outputs.

    Parameters: ``args`` are the program and its arguments; ``stdin`` is the text of its standard input, empty by
    default; ``env`` is added to the environment, where None removes a variable; ``cwd`` is its working folder, which
    must be an allowed one, by default the current folder; with ``check`` an exit status other than 0 is a failure;
    ``maxBytes`` limits each output stream.
    Returns a dict with ``stdout``, ``stderr`` and ``exitCode`` (the negative number of a signal that ended the
    program).
    Raises FolderError, and ShellError if the program cannot be started, fails, or writes too much (then it is ended).
    """
    arguments = _arguments(args)
    folder = None if cwd is None else _folder(cwd, context)
    input_bytes = None if stdin is None else _text("stdin", stdin).encode("utf-8", "surrogateescape")
    try:
        result = await run_process(arguments, _environment(env), max_bytes=maxBytes, stdin=input_bytes, cwd=folder)
    except FileNotFoundError:
        raise ShellError(_not_found_message(arguments[0])) from None
    except OSError as error:
        raise ShellError(f"{arguments[0]!r} cannot be started: {error.strerror or error}") from error
    except ValueError as error:  # NUL, or characters that cannot be encoded
        raise ShellError(f"{arguments[0]!r} cannot be started: {error}") from None
    except OutputLimitError as error:
        message = f"{arguments[0]!r} was ended: its {error.stream} has more than {maxBytes} bytes; raise maxBytes"
        raise ShellError(message) from None
    if check and result.status:
        raise ShellError(_failure_message(arguments[0], result), result.status, result.stdout, result.stderr)
    return {"stdout": result.stdout, "stderr": result.stderr, "exitCode": result.status}


def _arguments(args: Any) -> list[str]:
    """Return the items of ``args`` as texts; raises ShellError for anything but a list of texts and numbers."""
    if isinstance(args, str):
        raise ShellError(f"args is a text: there is no shell to split it, give a list such as {args.split() or ['ls']}")
    if not isinstance(args, list | tuple) or not args:
        raise ShellError("args is a list of the program and its arguments such as ['git', 'status']")
    for index, word in enumerate(args):
        if isinstance(word, bool) or not isinstance(word, str | int | float):
            raise ShellError(f"args[{index}] is a {type(word).__name__}: an argument is a text or a number")
    if not args[0]:
        raise ShellError("args[0] is empty: it names the program")
    return [str(word) for word in args]


def _folder(cwd: str, context: TagContext) -> str:
    """Return the resolved working folder; raises ShellError if it does not exist, FolderError if it is not allowed."""
    real = context.resolve(cwd)
    if not real.is_dir():
        raise ShellError(f"cwd: there is no folder {str(real)!r}")
    return os.fspath(real)


def _text(name: str, value: Any) -> str:
    """Return ``value`` unchanged; raises ShellError, which names the attribute ``name``, if it is not a text."""
    if not isinstance(value, str):
        raise ShellError(f"{name} is a {type(value).__name__}, not a text")
    return value


def _environment(added: dict[str, str | None] | None) -> dict[str, str]:
    """Return the environment of this process with variables added, or removed if their value is None."""
    environment = dict(os.environ)
    for name, value in (added or {}).items():
        if not name or "=" in name:
            raise ShellError(f"env: {name!r} is no name of a variable")
        if value is None:
            environment.pop(name, None)
        else:
            environment[name] = _text(f"env[{name!r}]", value)
    return environment


def _not_found_message(program: str) -> str:
    """Return the message about a program that does not exist; it suggests a program with a similar name."""
    if "/" in program:
        return f"there is no program {program!r}, or its interpreter is missing"
    folders = [Path(folder) for folder in os.get_exec_path() if Path(folder).is_dir()]
    names = {name for folder in folders if os.access(folder, os.R_OK) for name in os.listdir(folder)}  # noqa: PTH208
    hint = near_hint(program, islice(names, _MAX_PROGRAMS))
    return f"there is no program {program!r} on PATH; {hint or 'install it or give its path'}"


def _failure_message(program: str, result: ProcessResult) -> str:
    """Return the message about a failed program: its status or signal, and the end of its standard error."""
    name = result.signal_name
    how = f"was ended by {name}" if name else f"ended with status {result.status}"
    stderr_text = result.stderr.strip()
    shown = stderr_text if len(stderr_text) <= _MAX_SHOWN else "…" + stderr_text[-_MAX_SHOWN:]
    return f"{program!r} {how}" + (f": {shown}" if shown else " and wrote nothing to stderr")
