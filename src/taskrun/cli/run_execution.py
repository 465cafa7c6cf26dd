"""Execution of a run for ``run``, ``resume`` and ``rerun``: observers, signals, outputs, and the report of its state.

    taskrun: run 3f9a04c1 is SUSPENDED at 1 wait point:
        main/approve: Shall the order be paid? (requests approved (bool))
        resume it with: taskrun resume 3f9a04c1 --input approved=…

Rules: standard output receives one JSON document, the outputs, or nothing. The first Ctrl-C or SIGTERM cancels the run:
``finally`` scripts run and finished steps are undone. The second one ends the process at once. If the run did not
succeed, the report about it ends with the command to continue, which can be pasted into a shell.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from taskrun.cli.command import ErrorReport, UsageError
from taskrun.cli.exit_codes import CANCELLED, FAILED, SUSPENDED
from taskrun.cli.json_value import json_value
from taskrun.cli.manager_options import create_manager, format_manager_options
from taskrun.cli.stderr import report
from taskrun.cli.stdout import pluralize, print_result
from taskrun.errors import PluginError, StepError, StoreError, UnsavableValueError

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from taskrun.manager import TaskManager
    from taskrun.result import RunResult

SHOWN_ID_LENGTH = 8
"""Number of characters of a run's id in messages; a store finds the run by them."""

_RETRY_SECONDS = 0.01
"""Time after a signal that found no run to cancel until the active runs are cancelled again."""

_ADVICE: Mapping[str, str] = MappingProxyType(
    {
        "RUNNING": "what was recorded is safe; resume it with: taskrun resume",
        "SUSPENDED": "resume it with: taskrun resume",
        "FAILED": "resume it with: taskrun resume",
        "TIMED_OUT": "resume it with: taskrun resume",
        "REVERTED": "its finished steps were undone; start again with: taskrun rerun",
        "REVERTING": "not all of its finished steps are undone yet; resume it with: taskrun resume",
        "REVERT_FAILED": "some of its finished steps could not be undone; try again with: taskrun cancel",
        "CANCELLED": "start again with: taskrun rerun",
    }
)
"""What the user can do about a run in each state."""


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that ``run``, ``resume`` and ``rerun`` share, such as ``--interactive`` and ``--verbose``."""
    text = "prompt on the terminal for the inputs of wait points (steps at which a suspended run waits)"
    parser.add_argument("--interactive", action="store_true", help=text)
    text = "show a line per finished step, and tracebacks of failures"
    parser.add_argument("-v", "--verbose", action="store_true", help=text)
    parser.add_argument("-q", "--quiet", action="store_true", help="show no line per step, on a terminal either")
    parser.add_argument("--events", metavar="FILE", help="write each event as a line of JSON; - is standard error")


def check_terminal(arguments: argparse.Namespace) -> None:
    """Raise UsageError when ``--interactive`` is given and there is no terminal for the prompts."""
    if arguments.interactive and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("--interactive needs a terminal as standard input and standard error")


@contextmanager
def open_manager(arguments: argparse.Namespace, **settings: Any) -> Iterator[TaskManager]:
    """Create a TaskManager by the command line for the block of a ``with``; close it and its files after the block.

    Parameters:
        arguments: the parsed options, which also select the observers.
        settings: further parameters of TaskManager.
    """
    with ExitStack() as stack:
        stack.enter_context(_log_to_stderr())
        manager = create_manager(arguments, observers=list(_create_observers(arguments, stack)), **settings)
        stack.callback(manager.close)
        yield manager


class _LineFormatter(logging.Formatter):
    """Formatter of log records as lines such as ``taskrun: warning: …``; the level INFO is left out."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a log record as one line with its level."""
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        return f"taskrun: {level}{super().format(record)}"


@contextmanager
def _log_to_stderr() -> Iterator[None]:
    """Write the messages of the logger ``taskrun`` to standard error during the block; scripts log to it too."""
    logger = logging.getLogger("taskrun")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_LineFormatter("%(message)s"))
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


def _create_observers(arguments: argparse.Namespace, stack: ExitStack) -> Iterator[Any]:
    """Yield the observers that ``-v``, ``-q`` and ``--events`` select; their files are closed by ``stack``."""
    if arguments.verbose or (sys.stderr.isatty() and not arguments.quiet):
        from taskrun.observers.progress import Progress

        yield Progress(sys.stderr)
    if arguments.events:
        from taskrun.observers.json_lines import JsonLines

        if arguments.events == "-":
            yield JsonLines(sys.stderr)
            return
        try:
            file = open(arguments.events, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - closed by the stack
        except OSError as error:
            raise PluginError(f"--events {arguments.events}: {error.strerror or error}") from None
        yield JsonLines(stack.enter_context(file))


def _interrupt_tasks(loop: AbstractEventLoop) -> None:
    """Raise KeyboardInterrupt in the running task; if no task is running, cancel all tasks of the loop.

    In the second case an exception would be raised in the code of the event loop, and a task might then never end.
    """
    import asyncio

    if asyncio.current_task(loop) is not None:
        raise KeyboardInterrupt
    for task in asyncio.all_tasks(loop):
        task.cancel()


@contextmanager
def cancel_on_signals(manager: TaskManager) -> Iterator[None]:
    """Cancel the runs of the manager at the first SIGINT or SIGTERM in the block; exit at the second one.

    If no run is active at the first signal, KeyboardInterrupt is raised. If the signal arrives while an event loop is
    between two tasks, all tasks are cancelled first.
    """
    import asyncio

    seen: list[int] = []

    def cancel_active() -> bool:
        """Cancel the active runs; return True if at least one of them can be cancelled."""
        results = [manager.cancel(run_id) for run_id in manager.active]
        return any(results)

    def handle(number: int, _frame: object) -> None:
        if seen:
            os._exit(CANCELLED)
        seen.append(number)
        if cancel_active():
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise KeyboardInterrupt from None
        # the run may be about to become active, and a finalizer may swallow KeyboardInterrupt
        loop.call_soon_threadsafe(loop.call_later, _RETRY_SECONDS, cancel_active)
        if not manager.active:
            _interrupt_tasks(loop)

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except asyncio.CancelledError:
        if seen:
            raise KeyboardInterrupt from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def execute_run(
    arguments: argparse.Namespace, manager: TaskManager, run_id: str, start: Callable[[], RunResult], *, recorded: bool
) -> int:
    """Execute a run, print its outputs or report its state, and return the exit status.

    Parameters:
        arguments: the parsed options.
        manager: the manager of the run.
        run_id: the id of the run.
        start: a function that starts or resumes the run and returns its result.
        recorded: whether the run is recorded in a store that outlives the process.
    """
    with ErrorReport(verbose=arguments.verbose) as outcome:
        outcome.status = _execute_and_print(arguments, manager, start, recorded=recorded)
    if outcome.status and recorded:
        with suppress(StoreError):  # the run was never created, or the problem of the store is reported already
            report_state(manager, run_id, arguments)
    return outcome.status


def _execute_and_print(
    arguments: argparse.Namespace, manager: TaskManager, start: Callable[[], RunResult], *, recorded: bool
) -> int:
    """Execute a run by calling ``start``, print its outputs and return the exit status.

    With ``--interactive``, while the run is suspended, prompt for inputs and resume it.
    """

    def resume(run_id: str, inputs: dict[str, Any]) -> RunResult:
        with cancel_on_signals(manager):
            return manager.resume(run_id, inputs)

    try:
        with cancel_on_signals(manager):
            result = start()
        while result.status == "SUSPENDED" and result.waiting and arguments.interactive:
            from taskrun.cli.prompt import prompt_and_resume

            resumed = prompt_and_resume(result, resume)
            if resumed is None:
                break
            result = resumed
    except (StepError, UnsavableValueError) as error:
        cause = error.__cause__ or error
        if isinstance(cause, UnsavableValueError) and recorded and "no_record" in arguments:
            cause.add_note("use --no-record to run the flow without recording it")
        raise
    if result.status != "SUSPENDED":
        return _print_outputs(result)
    if not recorded:
        report("taskrun: the run is suspended and cannot be resumed, because it is not recorded")
    return SUSPENDED


def report_state(manager: TaskManager, run_id: str, arguments: argparse.Namespace) -> None:
    """Report the state of a recorded run, its wait points, and the command with which to continue.

    Nothing is reported for a run that another live process executes.
    """
    import shlex

    from taskrun.cli.liveness import has_live_owner

    run = manager.store.load(run_id)
    advice = _ADVICE.get(run.state)
    elsewhere = has_live_owner(run) and run.owner is not None and run.owner.pid != os.getpid()
    if advice is None or elsewhere:
        return
    wait_points = manager.waiting(run_id) if run.state == "SUSPENDED" else ()
    where = f" at {pluralize(len(wait_points), 'wait point')}:" if wait_points else ""
    report(f"taskrun: run {run_id[:SHOWN_ID_LENGTH]} is {run.state}{where}")
    for point in wait_points:
        report(f"    {point}")
    words = [run_id[:SHOWN_ID_LENGTH], *format_manager_options(arguments)]
    if arguments.store is not None:
        words += ["--store", arguments.store]
    requested = dict.fromkeys(item.name for point in wait_points for item in point.requested)
    inputs = "".join(f" --input {shlex.quote(name)}=…" for name in requested)
    report(f"    {advice} {shlex.join(words)}{inputs}")


def _print_outputs(outputs: Mapping[str, Any]) -> int:
    """Print the outputs of a run as a JSON document and return the exit status."""
    document = {}
    for name, value in outputs.items():
        try:
            document[name] = json_value(value)
        except (ValueError, RecursionError) as error:
            reason = "it contains itself" if isinstance(error, RecursionError) else str(error)
            report(f"taskrun: error: output '{name}' cannot be printed: {reason}")
            return FAILED
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2 if sys.stdout.isatty() else None)
    return print_result(text)
