"""``taskrun run``: run a flow and print its outputs.

Rules: standard output gets one JSON document or nothing at all. Ctrl-C and SIGTERM cancel the run, whose ``finally``
scripts still run; a second one ends the process at once.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskrun.cli import COMMANDS
from taskrun.cli.parser import Parser, add_settings, make_manager
from taskrun.errors import near_hint

if TYPE_CHECKING:
    from taskrun.manager import TaskManager

DESCRIPTION = "Run a flow and print its outputs as one JSON document."


def execute(words: Sequence[str]) -> int:
    """Run the command line and return its exit status."""
    parser = _parser()
    if {"-h", "--help"} & set(words):
        parser.print_help()
        flows = [word for word in words if word.endswith((".xml", ".yaml", ".yml", ".json"))]
        if not flows:
            return 0
        words = flows[:1]
    else:
        flows = []
    arguments = parser.parse_args(words)
    from taskrun.cli.failures import guarded

    if not Path(arguments.flow).exists() and (hint := near_hint(arguments.flow, COMMANDS)):
        parser.error(f"'{arguments.flow}' is no file and no command; {hint}")

    def command() -> int:
        return _describe(arguments) if flows else _run(arguments)

    return guarded(command, verbose=arguments.verbose)


def _parser() -> Parser:
    parser = Parser("run", DESCRIPTION)
    parser.add_argument("flow", metavar="FLOW", help="the task file, such as flow.task.xml")
    parser.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an input; NAME=@FILE takes the text of a file",
    )
    parser.add_argument("--inputs", metavar="FILE", help="inputs as a JSON object; - is standard input")
    parser.add_argument("-f", "--flags", default="", metavar="A,B", help="flags that the run begins with")
    add_settings(parser)
    parser.add_argument("--check-mutation", action="store_true", help="fail a step that changes an input in place")
    parser.add_argument("-v", "--verbose", action="store_true", help="a line per finished step; tracebacks of failures")
    parser.add_argument("-q", "--quiet", action="store_true", help="no line per step on a terminal either")
    parser.add_argument("--events", metavar="FILE", help="write every event as a line of JSON; - is standard error")
    return parser


def _describe(arguments: argparse.Namespace) -> int:
    from taskrun.cli.describe import describe_flow

    print()
    print(describe_flow(make_manager(arguments).load(arguments.flow)))
    return 0


def _run(arguments: argparse.Namespace) -> int:
    from taskrun.cli.inputs import read_inputs
    from taskrun.cli.logs import logs_to_standard_error

    with ExitStack() as stack:
        stack.enter_context(logs_to_standard_error())
        observers = list(_observers(arguments, stack))
        flags = [flag for flag in arguments.flags.replace(",", " ").split() if flag]
        manager = make_manager(arguments, observers=observers, flags=flags)
        stack.callback(manager.close)
        flow = manager.load(arguments.flow)
        inputs = read_inputs(flow, arguments.input, arguments.inputs)
        with _signals(manager):
            result = manager.run(flow, inputs)
        return _print(dict(result))


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
def _signals(manager: TaskManager) -> Iterator[None]:
    """Turn the first SIGINT or SIGTERM into a cancellation of the run, and the second into the end of the process."""
    seen: list[int] = []

    def stop(number: int, _frame: object) -> None:
        if seen:
            os._exit(130)
        seen.append(number)
        for run_id in manager.active:
            manager.cancel(run_id)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _print(outputs: dict[str, Any]) -> int:
    from taskrun.cli.failures import say
    from taskrun.cli.json_value import json_value
    from taskrun.cli.output import write

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
