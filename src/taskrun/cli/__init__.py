"""The command ``taskrun``.

    taskrun flow.task.xml --input x=1        the same as: taskrun run flow.task.xml --input x=1
    taskrun check FILE…
    taskrun runs
    taskrun COMMAND …                        for all commands: taskrun --help

Rules: a sub-command is a line in ``COMMANDS`` and a module of its name with a function ``execute``, imported when it is
called; nothing heavy is imported before it is known what to do.
Standard output belongs to the result, everything else goes to standard error. The exit status is 0 when all went well,
1 when the run failed, 2 for a wrong file, wrong inputs or a wrong command line, 3 when a store or a plug-in is in
trouble, 4 when the run is suspended and 130 when it was cancelled.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType

COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "run": ("FLOW", "run a flow and print its outputs as JSON; the word run can be left out"),
        "resume": ("RUN", "go on with a run that is suspended, has failed, or whose process has died"),
        "rerun": ("RUN", "start a new run that takes over what an earlier one had done"),
        "cancel": ("RUN", "stop a run, wherever it is at work, and undo what it has done"),
        "suspend": ("RUN", "let a run stop where it is, so that it can be resumed"),
        "check": ("FILE…", "say everything that is wrong with files, without running them"),
        "explain": ("FILE", "show the steps of a flow with what stands round each of them"),
        "expand": ("FILE", "show a flow after all that it builds on was put in"),
        "diff": ("A B", "show what turns one flow into another, as a flow that extends it"),
        "convert": ("A B", "write the flow of file A as file B: XML, YAML or JSON"),
        "runs": ("", "list the runs that were recorded"),
        "show": ("RUN", "show what is recorded of a run: its steps, outputs, errors"),
        "trash": ("RUN…", "remove runs from the record"),
        "purge": ("", "remove the runs that ended long ago"),
    }
)
"""The sub-commands, with what follows them and what they do; what begins with anything else is a flow to run.

A file of such a name is written ``./check``.
"""

WRONG_USE = 2

HELP = """\
usage: taskrun FLOW [--input NAME=VALUE]… [options]
       taskrun COMMAND …

Run flows that are data.

commands:
{commands}

  taskrun COMMAND --help    the options of a command
  taskrun FLOW --help       the inputs and outputs of a flow
  taskrun --version
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (default: that of the process) and return the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words:
        sys.stderr.write(_help())
        return WRONG_USE
    if words[0] in {"-h", "--help"}:
        sys.stdout.write(_help())
        return 0
    if words[0] == "--version":
        from taskrun import __version__

        sys.stdout.write(f"taskrun {__version__}\n")
        return 0
    command = words.pop(0) if words[0] in COMMANDS else "run"
    from importlib import import_module

    status: int = import_module(f"taskrun.cli.{command}").execute(words)
    return status


def _help() -> str:
    lines = (f"  {f'{name} {follows}':14}  {does}" for name, (follows, does) in COMMANDS.items())
    return HELP.format(commands="\n".join(lines))
