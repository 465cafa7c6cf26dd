"""``taskrun rerun``: start a new run that inherits the records of an earlier run, up to a step or up to its failure.

    $ taskrun rerun 3f9a --from main/pay --input card=1234
    {"paid": true}

Rules: steps whose records are inherited are not executed again. Steps that the earlier run has undone (compensated) are
executed again. The earlier run is not changed.
"""

from __future__ import annotations

import argparse
import os

from taskrun.cli.history import existing_store_url
from taskrun.cli.inputs import add_input_options, read_inputs, typed_input_names
from taskrun.cli.manager_options import add_manager_options, add_store_options
from taskrun.cli.run_execution import add_run_options, check_terminal, execute_run, open_manager


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``taskrun rerun``."""
    parser.add_argument("run", metavar="RUN", help="the id of the earlier run, or a unique prefix of it")
    text = "the path of the first step to execute again, such as main/pay (default: the failed step)"
    parser.add_argument("--from", dest="from_step", metavar="STEP", help=text)
    add_input_options(parser)
    text = "execute this flow instead of the recorded one; steps are matched by path"
    parser.add_argument("--flow", dest="file", metavar="FILE", help=text)
    add_manager_options(parser)
    add_run_options(parser)
    add_store_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Start a new run from the records of an earlier one, print its outputs and return the exit status."""
    check_terminal(arguments)
    from taskrun.durable.history import resolve_run_id

    with open_manager(arguments, store=existing_store_url(arguments)) as manager:
        run_id = resolve_run_id(manager.store, arguments.run)
        inputs = read_inputs(arguments, typed_input_names(manager.runs.flow_of(run_id, arguments.file)))
        new_id = os.urandom(16).hex()
        return execute_run(
            arguments,
            manager,
            new_id,
            lambda: manager.rerun(run_id, inputs, from_step=arguments.from_step, flow=arguments.file, new_id=new_id),
            recorded=True,
        )
