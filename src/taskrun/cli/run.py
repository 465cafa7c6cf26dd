"""``taskrun run``: run a flow and print its outputs.

Rules: the run is recorded in the store, unless ``--no-record`` is given. A flow that may be suspended needs the record
or ``--interactive``. ``run_execution.py`` has the functions that ``resume`` and ``rerun`` use too.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from taskrun.cli import COMMANDS
from taskrun.cli.command import UsageError
from taskrun.cli.exit_codes import SUCCEEDED, WRONG_USE
from taskrun.cli.inputs import add_input_options, read_inputs, typed_input_names
from taskrun.cli.manager_options import add_manager_options, add_store_options, create_manager, store_url
from taskrun.cli.run_execution import add_run_options, check_terminal, execute_run, open_manager
from taskrun.cli.stderr import report
from taskrun.errors import StoreError, near_hint


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``taskrun run``."""
    parser.add_argument("flow", metavar="FLOW", help="the task file, such as flow.task.xml")
    add_input_options(parser)
    parser.add_argument("-f", "--flags", default="", metavar="A,B", help="flags that are set when the run starts")
    add_manager_options(parser)
    parser.add_argument("--check-mutation", action="store_true", help="fail a step that changes an input in place")
    add_run_options(parser)
    add_store_options(parser, recording=True)


def show_help(parser: argparse.ArgumentParser, words: Sequence[str]) -> int:
    """Print the options of the command; if the command line names a flow, also the inputs and outputs of the flow."""
    parser.print_help()
    flows = [word for word in words if word.endswith((".xml", ".yaml", ".yml", ".json"))]
    if flows:
        from taskrun.cli.describe import describe_flow

        arguments = parser.parse_args(flows[:1])
        print()
        print(describe_flow(create_manager(arguments).load(arguments.flow)))
    return SUCCEEDED


def run(arguments: argparse.Namespace) -> int:
    """Run a flow, print its outputs and return the exit status."""
    if not Path(arguments.flow).exists() and (hint := near_hint(arguments.flow, COMMANDS)):
        raise UsageError(f"'{arguments.flow}' is neither a file nor a command; {hint}")
    check_terminal(arguments)
    flags = [flag for flag in arguments.flags.replace(",", " ").split() if flag]
    url = None if arguments.no_record else store_url(arguments)
    recorded = url is not None and not url.lower().startswith("memory:")
    with open_manager(arguments, flags=flags, store=url) as manager:
        flow = manager.load(arguments.flow)
        inputs = read_inputs(arguments, typed_input_names(flow))
        if not recorded and flow.suspends and not arguments.interactive:
            report("taskrun: error: this flow can be suspended, and a run that is not recorded cannot be resumed")
            report("    hint: record the run in a file (--store, without --no-record), or add --interactive")
            return WRONG_USE
        if recorded:
            try:
                manager.store  # noqa: B018 - open the store before the run, to add the hint to its errors
            except StoreError as error:
                hints = filter(None, (error.hint, "use --no-record to run the flow without recording it"))
                raise StoreError(error.problem, "; ".join(hints)) from error
        run_id = os.urandom(16).hex()
        start = partial(manager.run, flow, inputs, run_id=run_id)
        return execute_run(arguments, manager, run_id, start, recorded=recorded)
