"""The command ``taskrun``: one module per sub-command, and the modules that they share.

    taskrun flow.task.xml --input x=1        same as: taskrun run flow.task.xml --input x=1
    taskrun COMMAND …                        all commands: taskrun --help

Contents: ``taskrun resume`` is the function ``run`` of ``cli/resume.py``; ``command.py`` calls it with the parsed
options and turns errors into exit statuses. Results go to standard output (``stdout.py``), everything else to standard
error (``stderr.py``).

Imports: ``cli`` may import every package of taskrun, and only ``__main__`` imports ``cli``. To start quickly, the
module of a command is imported when the command is called. Functions import lxml, sqlite3 and the TaskManager when they
need them.

Begin with: ``main`` here, then ``command.py``, then ``run.py``.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from taskrun.cli.exit_codes import SUCCEEDED, WRONG_USE

COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "run": ("FLOW", "run a flow and print its outputs as JSON; the word run is optional"),
        "resume": ("RUN", "resume a run that is suspended, has failed, or whose process has died"),
        "rerun": ("RUN", "start a new run that inherits the records of an earlier run"),
        "cancel": ("RUN", "cancel a run and undo its finished steps"),
        "suspend": ("RUN", "suspend a run as soon as its running steps have finished"),
        "check": ("FILE…", "report every problem of task files without running them"),
        "explain": ("FILE", "show the steps of a flow with their decorators"),
        "expand": ("FILE", "show a flow merged with the files that it extends"),
        "diff": ("A B", "show the difference between two flows, as a flow that extends A"),
        "convert": ("A B", "write the flow of file A to file B in another form: XML, YAML or JSON"),
        "runs": ("", "list the recorded runs, newest first"),
        "show": ("RUN", "show the state, inputs, outputs, errors and steps of a recorded run"),
        "delete": ("RUN…", "delete recorded runs, and the runs that they called"),
        "purge": ("", "delete all runs that ended before a given time"),
    }
)
"""The sub-commands: name, operands, summary. Any other first word is a flow to run, or an option of ``taskrun run``.

A flow file that is named like a command is written ``./check``.
"""

HELP = """\
usage: taskrun FLOW [--input NAME=VALUE]… [options]
       taskrun COMMAND …

Run task flows.

commands:
{commands}

  taskrun COMMAND --help    the options of a command
  taskrun FLOW --help       the inputs and outputs of a flow
  taskrun --version
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Execute the command line ``argv`` (default: the arguments of the process) and return the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words:
        sys.stderr.write(_help_text())
        return WRONG_USE
    if words[0] in {"-h", "--help"}:
        sys.stdout.write(_help_text())
        return SUCCEEDED
    if words[0] == "--version":
        from taskrun import __version__

        sys.stdout.write(f"taskrun {__version__}\n")
        return SUCCEEDED
    name = words.pop(0) if words[0] in COMMANDS else "run"
    from taskrun.cli.command import execute

    return execute(name, words)


def _help_text() -> str:
    lines = (f"  {f'{name} {operands}':14}  {summary}" for name, (operands, summary) in COMMANDS.items())
    return HELP.format(commands="\n".join(lines))
