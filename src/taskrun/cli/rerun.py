"""``taskrun rerun``: a new run that takes over what an earlier one had done, before a step or before its failure.

    $ taskrun rerun 3f9a --from main/pay --input card=1234
    {"paid": true}

Rules: the earlier run stays as it is. What it had undone is done again.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from taskrun.cli.parser import Parser, add_input_options, add_settings
from taskrun.cli.stores import add_store_options, existing_store

DESCRIPTION = "Start a new run that takes over what an earlier one had done, and print its outputs."


def execute(words: Sequence[str]) -> int:
    """Run the command line and return its exit status."""
    from taskrun.cli.run_execution import add_run_options, check_terminal

    parser = Parser("rerun", DESCRIPTION)
    parser.add_argument("run", metavar="RUN", help="the id of the earlier run, or the beginning of it")
    text = "the path of the step to begin with, such as main/pay (default: the one that failed)"
    parser.add_argument("--from", dest="from_step", metavar="STEP", help=text)
    add_input_options(parser)
    parser.add_argument("--flow", dest="file", metavar="FILE", help="run this flow; steps are matched by path")
    add_settings(parser)
    add_run_options(parser)
    add_store_options(parser)
    arguments = parser.parse_args(words)
    check_terminal(parser, arguments)
    from taskrun.cli.exit_codes import guarded

    return guarded(lambda: _rerun(arguments), verbose=arguments.verbose)


def _rerun(arguments: argparse.Namespace) -> int:
    from taskrun.cli.inputs import read_inputs, typed_inputs
    from taskrun.cli.run_execution import finish, managed
    from taskrun.durable.history import resolve_run_id

    with managed(arguments, store=existing_store(arguments)) as manager:
        run_id = resolve_run_id(manager.store, arguments.run)
        typed = typed_inputs(manager.runs.flow_of(run_id, arguments.file))
        inputs = read_inputs(typed, arguments.input, arguments.inputs)
        new_id = os.urandom(16).hex()
        return finish(
            arguments,
            manager,
            new_id,
            lambda: manager.rerun(run_id, inputs, from_step=arguments.from_step, flow=arguments.file, new_id=new_id),
            recorded=True,
        )
