"""Sub-commands: parse the options of one, run it, and turn its errors into messages and an exit status.

Rules: an error that the author or the caller of a flow can correct is reported without a Python traceback, except with
``-v``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import NoReturn

from taskrun.cli import COMMANDS
from taskrun.cli.exit_codes import CANCELLED, WRONG_USE
from taskrun.cli.stderr import report, report_problems, report_step_error
from taskrun.errors import FlowError, InputError, PluginError, RunCancelled, StepError, TaskrunError, near_hint


@dataclass(frozen=True, slots=True)
class Command:
    """A sub-command: how to add its options and how to run it.

    The module ``taskrun.cli.NAME`` defines the functions ``add_options`` and ``run``, and optionally ``show_help``.

    Parameters:
        name: the word after ``taskrun``.
        summary: what the command does, for the help.
        add_options: adds the options and operands to a parser.
        run: executes the command with the parsed options and returns the exit status. It may raise UsageError and the
            errors of ``taskrun.errors``.
        show_help: handles ``--help`` instead of argparse; receives the parser and the words of the command line.
    """

    name: str
    summary: str
    add_options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    show_help: Callable[[argparse.ArgumentParser, Sequence[str]], int] | None = None

    @classmethod
    def load(cls, name: str) -> Command:
        """Import the module of a command and return the command."""
        module = import_module(f"taskrun.cli.{name}")
        summary = COMMANDS[name][1]
        return cls(name, summary, module.add_options, module.run, getattr(module, "show_help", None))


class UsageError(Exception):
    """Wrong command line that argparse cannot detect; the message is printed behind the usage of the command."""


class CommandParser(argparse.ArgumentParser):
    """Argument parser of a command; accepts no abbreviated options and suggests the nearest name for an unknown one."""

    def __init__(self, command: Command) -> None:
        description = f"{command.summary[0].upper()}{command.summary[1:]}."
        super().__init__(prog=f"taskrun {command.name}", description=description, allow_abbrev=False)
        command.add_options(self)

    def error(self, message: str) -> NoReturn:
        """Print the usage and the message, with a suggestion for an unknown option, and exit with status 2."""
        _, _, unknown = message.partition("unrecognized arguments: ")
        known = [option for action in self._actions for option in action.option_strings]
        hints = [near_hint(word.partition("=")[0], known) for word in unknown.split() if word.startswith("-")]
        for hint in filter(None, hints):
            message += f"; {hint}"
        self.print_usage(sys.stderr)
        self.exit(WRONG_USE, f"{self.prog}: error: {message}\n")


def execute(name: str, words: Sequence[str]) -> int:
    """Execute the sub-command ``name`` with its words of the command line and return the exit status.

    Raises SystemExit for a wrong command line and after ``--help``.
    """
    command = Command.load(name)
    parser = CommandParser(command)
    if command.show_help is not None and {"-h", "--help"} & set(words):
        return exit_status_of(partial(command.show_help, parser, words))
    arguments = parser.parse_args(words)
    try:
        return exit_status_of(partial(command.run, arguments), verbose=getattr(arguments, "verbose", False))
    except UsageError as error:
        parser.error(str(error))


def exit_status_of(call: Callable[[], int], *, verbose: bool = False) -> int:
    """Call a function and return its exit status; report an error that it raises and return the status of the error.

    Parameters:
        call: the function, which returns an exit status.
        verbose: whether the report of a failed step includes its traceback.
    """
    try:
        return call()
    except (KeyboardInterrupt, RunCancelled):
        report("taskrun: cancelled")
        return CANCELLED
    except FlowError as error:
        report_problems(error.diagnostics)
        return error.exit_status
    except InputError as error:
        report("taskrun: error: wrong inputs\n" + "\n".join(f"    {problem}" for problem in error.problems))
        return error.exit_status
    except StepError as error:
        report_step_error(error, verbose=verbose)
        return PluginError.exit_status if isinstance(error.__cause__, PluginError) else error.exit_status
    except TaskrunError as error:
        report(f"taskrun: error: {error}")
        for note in getattr(error, "__notes__", ()):
            report(f"    hint: {note}")
        return error.exit_status
