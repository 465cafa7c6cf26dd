"""What ``run``, ``resume`` and ``rerun`` share: who watches, what Ctrl-C does, and what is told of how the run ended.

    taskrun: run 3f9a04c1 is SUSPENDED; it waits for
        main/approve: Shall the order be paid? (asks for approved (bool))
        go on with: taskrun resume 3f9a04c1 --input approved=…

Rules: standard output gets one JSON document or nothing at all. Ctrl-C and SIGTERM cancel the run, whose ``finally``
scripts still run and whose work is undone; a second one ends the process at once. What is told of a run that did not
succeed is a command that can be pasted.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from taskrun.cli.parser import Parser, make_manager, settings_words
from taskrun.errors import StepError, StoreError, UnsavableValueError

if TYPE_CHECKING:
    from taskrun.manager import TaskManager
    from taskrun.result import RunResult

SUSPENDED = 4
"""The exit status of a run that waits for something."""
CANCELLED = 130
SHOWN = 8
"""How many characters of a run's id are told; a store finds the run by them."""

_ADVICE: Mapping[str, str] = MappingProxyType(
    {
        "RUNNING": "what was recorded is safe; go on with: taskrun resume",
        "SUSPENDED": "go on with: taskrun resume",
        "FAILED": "go on with: taskrun resume",
        "TIMED_OUT": "go on with: taskrun resume",
        "REVERTED": "what it had done is undone; begin again with: taskrun rerun",
        "REVERTING": "not all is undone yet; go on with: taskrun resume",
        "REVERT_FAILED": "some of what it had done is not undone; try that again with: taskrun cancel",
        "CANCELLED": "begin again with: taskrun rerun",
    }
)
"""What can be done about a run in each state."""


def add_run_options(parser: Parser) -> None:
    """Add the options that say what is shown of a run while it goes on, and whether to ask."""
    parser.add_argument("--interactive", action="store_true", help="ask, on a terminal, for what the run waits for")
    parser.add_argument("-v", "--verbose", action="store_true", help="a line per finished step; tracebacks of failures")
    parser.add_argument("-q", "--quiet", action="store_true", help="no line per step on a terminal either")
    parser.add_argument("--events", metavar="FILE", help="write every event as a line of JSON; - is standard error")


def check_terminal(parser: Parser, arguments: argparse.Namespace) -> None:
    """End with a message when ``--interactive`` has nobody to ask."""
    if arguments.interactive and not (sys.stdin.isatty() and sys.stderr.isatty()):
        parser.error("--interactive asks on a terminal: standard input and standard error have to be one")


@contextmanager
def managed(arguments: argparse.Namespace, **settings: Any) -> Iterator[TaskManager]:
    """Give a TaskManager with the options' settings and observers; log and events are written meanwhile."""
    from taskrun.cli.logs import logs_to_standard_error

    with ExitStack() as stack:
        stack.enter_context(logs_to_standard_error())
        manager = make_manager(arguments, observers=list(_observers(arguments, stack)), **settings)
        stack.callback(manager.close)
        yield manager


def _observers(arguments: argparse.Namespace, stack: ExitStack) -> Iterator[Any]:
    if arguments.verbose or (sys.stderr.isatty() and not arguments.quiet):
        from taskrun.observers.progress import Progress

        yield Progress(sys.stderr)
    if arguments.events:
        from taskrun.errors import PluginError
        from taskrun.observers.json_lines import JsonLines

        if arguments.events == "-":
            yield JsonLines(sys.stderr)
            return
        try:
            file = open(arguments.events, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - closed by the stack
        except OSError as error:
            raise PluginError(f"--events {arguments.events}: {error.strerror or error}") from None
        yield JsonLines(stack.enter_context(file))


@contextmanager
def signals(manager: TaskManager) -> Iterator[None]:
    """Turn the first SIGINT or SIGTERM into a cancellation of the run, and the second into the end of the process.

    While no run is at work here, the first raises KeyboardInterrupt.
    """
    seen: list[int] = []

    def stop(number: int, _frame: object) -> None:
        if seen:
            os._exit(CANCELLED)
        seen.append(number)
        if not manager.active:
            raise KeyboardInterrupt
        for run_id in manager.active:
            manager.cancel(run_id)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def finish(
    arguments: argparse.Namespace, manager: TaskManager, run_id: str, start: Callable[[], RunResult], *, recorded: bool
) -> int:
    """Call ``start``, print the outputs, or say what became of the run of that id; return the exit status."""
    from taskrun.cli.exit_codes import guarded

    status = guarded(lambda: _outputs(arguments, manager, start, recorded=recorded), verbose=arguments.verbose)
    if status and recorded:
        with suppress(StoreError):  # it never began, or the trouble was told of before
            tell(manager, run_id, arguments)
    return status


def _outputs(
    arguments: argparse.Namespace, manager: TaskManager, start: Callable[[], RunResult], *, recorded: bool
) -> int:
    try:
        with signals(manager):
            result = start()
        while result.status == "SUSPENDED" and result.waiting and arguments.interactive:
            from taskrun.cli.prompt import ask_and_go_on

            def going(result: RunResult, answers: dict[str, Any]) -> RunResult:
                with signals(manager):
                    return manager.resume(result.run_id, answers)

            answered = ask_and_go_on(result, going)
            if answered is None:
                break
            result = answered
    except (StepError, UnsavableValueError) as error:
        cause = error.__cause__ or error
        if isinstance(cause, UnsavableValueError) and recorded and "no_record" in arguments:
            cause.add_note("with --no-record the flow runs without being recorded")
        raise
    if result.status != "SUSPENDED":
        return _print(dict(result))
    if not recorded:
        from taskrun.cli.exit_codes import say

        say("taskrun: the run waits for something and is over, because it is not recorded")
    return SUSPENDED


def tell(manager: TaskManager, run_id: str, arguments: argparse.Namespace) -> None:
    """Say on standard error where a recorded run stands, and how to go on."""
    import shlex

    from taskrun.cli.exit_codes import say
    from taskrun.cli.liveness import works_on

    run = manager.store.load(run_id)
    advice = _ADVICE.get(run.state)
    elsewhere = works_on(run) and run.owner is not None and run.owner.pid != os.getpid()
    if advice is None or elsewhere:
        return
    waiting = manager.waiting(run_id) if run.state == "SUSPENDED" else ()
    say(f"taskrun: run {run_id[:SHOWN]} is {run.state}" + ("; it waits for" if waiting else ""))
    for place in waiting:
        say(f"    {place}")
    words = [run_id[:SHOWN], *settings_words(arguments)]
    if arguments.store is not None:
        words += ["--store", arguments.store]
    needed = dict.fromkeys(item.name for place in waiting for item in place.asked)
    given = "".join(f" --input {shlex.quote(name)}=…" for name in needed)
    say(f"    {advice} {shlex.join(words)}{given}")


def _print(outputs: dict[str, Any]) -> int:
    from taskrun.cli.exit_codes import say
    from taskrun.cli.json_value import json_value
    from taskrun.cli.stdout import write

    document = {}
    for name, value in outputs.items():
        try:
            document[name] = json_value(value)
        except (ValueError, RecursionError) as error:
            reason = "it contains itself" if isinstance(error, RecursionError) else str(error)
            say(f"taskrun: error: output '{name}' cannot be printed: {reason}")
            return 1
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2 if sys.stdout.isatty() else None)
    return write(text)
