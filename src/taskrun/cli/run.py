"""``taskrun run``: run a flow and print its outputs.

Rules: every run is recorded, unless ``--no-record`` says otherwise; a flow that can be suspended has to be, or somebody
has to be there to be asked. How a run is watched, cancelled and told of is in ``running``.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from taskrun.cli import COMMANDS
from taskrun.cli.parser import Parser, add_input_options, add_settings, make_manager
from taskrun.cli.stores import add_store_options, store_url
from taskrun.errors import near_hint

DESCRIPTION = "Run a flow and print its outputs as one JSON document."


def execute(words: Sequence[str]) -> int:
    """Run the command line and return its exit status."""
    from taskrun.cli.run_execution import check_terminal

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
    from taskrun.cli.exit_codes import guarded

    if not Path(arguments.flow).exists() and (hint := near_hint(arguments.flow, COMMANDS)):
        parser.error(f"'{arguments.flow}' is no file and no command; {hint}")
    check_terminal(parser, arguments)

    def command() -> int:
        return _describe(arguments) if flows else _run(arguments)

    return guarded(command, verbose=arguments.verbose)


def _parser() -> Parser:
    from taskrun.cli.run_execution import add_run_options

    parser = Parser("run", DESCRIPTION)
    parser.add_argument("flow", metavar="FLOW", help="the task file, such as flow.task.xml")
    add_input_options(parser)
    parser.add_argument("-f", "--flags", default="", metavar="A,B", help="flags that the run begins with")
    add_settings(parser)
    parser.add_argument("--check-mutation", action="store_true", help="fail a step that changes an input in place")
    add_run_options(parser)
    add_store_options(parser, recording=True)
    return parser


def _describe(arguments: argparse.Namespace) -> int:
    from taskrun.cli.describe import describe_flow

    print()
    print(describe_flow(make_manager(arguments).load(arguments.flow)))
    return 0


def _run(arguments: argparse.Namespace) -> int:
    from taskrun.cli.exit_codes import say
    from taskrun.cli.inputs import read_inputs, typed_inputs
    from taskrun.cli.run_execution import finish, managed
    from taskrun.errors import InputError, StoreError

    flags = [flag for flag in arguments.flags.replace(",", " ").split() if flag]
    url = None if arguments.no_record else store_url(arguments)
    recorded = url is not None and not url.lower().startswith("memory:")
    with managed(arguments, flags=flags, store=url) as manager:
        flow = manager.load(arguments.flow)
        inputs = read_inputs(typed_inputs(flow), arguments.input, arguments.inputs)
        if not recorded and flow.suspends and not arguments.interactive:
            say("taskrun: error: this flow can be suspended, and without a record nothing could resume it")
            say("    hint: record it in a file (--store, without --no-record), or add --interactive")
            return InputError.exit_status
        if recorded:
            try:
                manager.store  # noqa: B018 - opened now, so that it is known what the trouble is about
            except StoreError as error:
                hints = filter(None, (error.hint, "--no-record runs the flow without recording it"))
                raise StoreError(error.problem, "; ".join(hints)) from error
        run_id = os.urandom(16).hex()
        return finish(arguments, manager, run_id, lambda: manager.run(flow, inputs, run_id=run_id), recorded=recorded)
