"""Sub-commands: parse the options of one, run it, and turn its errors into messages and an exit status.

Rules: an error of taskrun, which the author or the caller of a flow can correct, is reported without a Python
traceback, except with ``-v``. Any other exception is a defect of taskrun and is raised.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import TracebackType
from typing import NoReturn, Self

from taskrun.cli import COMMANDS
from taskrun.cli.exit_codes import CANCELLED, SUCCEEDED, WRONG_USE
from taskrun.cli.stderr import report, report_problems, report_step_error
from taskrun.errors import FlowError, InputError, PluginError, RunCancelled, StepError, TaskrunError, near_hint


@dataclass(frozen=True, slots=True)
class Command:
    """A sub-command: how to add its options and how to run it.

    It is made from the module ``taskrun.cli.NAME``, which defines the functions ``add_options`` and ``run``, and
    optionally ``show_help``.

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
        """Import the module of the command ``name`` and return the command."""
        module = import_module(f"taskrun.cli.{name}")
        summary = COMMANDS[name][1]
        return cls(name, summary, module.add_options, module.run, getattr(module, "show_help", None))


class UsageError(Exception):
    """Raised for a wrong command line that argparse cannot detect; its message is printed after the usage."""


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
    """Execute the sub-command ``name`` with the words behind it on the command line, and return the exit status.

    Raises SystemExit for a wrong command line and after ``--help``.
    """
    command = Command.load(name)
    parser = CommandParser(command)
    if command.show_help is not None and {"-h", "--help"} & set(words):
        with ErrorReport() as outcome:
            outcome.status = command.show_help(parser, words)
        return outcome.status
    arguments = parser.parse_args(words)
    try:
        with ErrorReport(verbose=getattr(arguments, "verbose", False)) as outcome:
            outcome.status = command.run(arguments)
    except UsageError as error:
        parser.error(str(error))
    return outcome.status


class ErrorReport:
    """Context manager that reports an error of taskrun raised in its block on standard error, and then drops it.

        with ErrorReport() as outcome: ...
        return outcome.status       # the exit status: 0 without an error

    Parameters: ``verbose`` adds the traceback to the report of a failed step.
    """

    def __init__(self, *, verbose: bool = False) -> None:
        self.status: int = SUCCEEDED
        self._verbose = verbose

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> bool:
        status = None if error is None else report_error(error, verbose=self._verbose)
        if status is not None:
            self.status = status
        return status is not None


def report_error(error: BaseException, *, verbose: bool = False) -> int | None:
    """Report an error of taskrun on standard error and return its exit status.

    For any other exception nothing is reported, and None is returned.
    """
    match error:
        case KeyboardInterrupt() | RunCancelled():
            report("taskrun: cancelled")
            return CANCELLED
        case FlowError():
            report_problems(error.diagnostics)
        case InputError():
            report("taskrun: error: wrong inputs\n" + "\n".join(f"    {problem}" for problem in error.problems))
        case StepError():
            report_step_error(error, verbose=verbose)
            return PluginError.exit_status if isinstance(error.__cause__, PluginError) else error.exit_status
        case TaskrunError():
            report(f"taskrun: error: {error}")
            for note in getattr(error, "__notes__", ()):
                report(f"    hint: {note}")
        case _:
            return None
    return error.exit_status
