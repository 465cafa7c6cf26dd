"""``taskrun resume``: resume a run that is suspended, has failed, or whose process has died.

    $ taskrun resume 3f9a --input approved=true
    {"paid": true}

Rules: steps with a checkpoint are not executed again. ``--input`` passes the inputs that the wait points request, and
inputs of the task that must not be recorded; they are written as for ``taskrun run``. The run executes the text of the
flow that was recorded when it started, even if the file has changed. The manager options (``--allow``, ``--path`` …)
are not recorded and must be given again.
"""

from __future__ import annotations

import argparse

from taskrun.cli.exit_codes import SUSPENDED
from taskrun.cli.history import existing_store_url
from taskrun.cli.inputs import add_input_options, read_inputs, typed_input_names
from taskrun.cli.manager_options import add_manager_options, add_store_options
from taskrun.cli.run_execution import add_run_options, check_terminal, execute_run, open_manager, report_state
from taskrun.cli.times import parse_duration_option


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``taskrun resume``."""
    parser.add_argument("run", metavar="RUN", help="the id of the run, or a unique prefix of it")
    add_input_options(parser)
    text = "execute this flow instead of the recorded one; steps are matched by path"
    parser.add_argument("--flow", dest="file", metavar="FILE", help=text)
    text = "treat an owner on another machine as dead after TIME without a heartbeat (default: 30s)"
    parser.add_argument("--stale-after", type=parse_duration_option, default=None, metavar="TIME", help=text)
    add_manager_options(parser)
    add_run_options(parser)
    add_store_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Resume a run, print its outputs and return the exit status."""
    check_terminal(arguments)
    from taskrun.durable.heartbeat import STALE_AFTER
    from taskrun.durable.history import resolve_run_id

    stale_after = STALE_AFTER if arguments.stale_after is None else arguments.stale_after
    with open_manager(arguments, store=existing_store_url(arguments)) as manager:
        run_id = resolve_run_id(manager.store, arguments.run)
        wait_points = manager.waiting(run_id)
        inputs = read_inputs(arguments, typed_input_names(manager.runs.flow_of(run_id, arguments.file), wait_points))
        if arguments.interactive and any(item.name not in inputs for point in wait_points for item in point.requested):
            from taskrun.cli.prompt import prompt_inputs

            entered = prompt_inputs(wait_points, inputs)
            if entered is None:
                report_state(manager, run_id, arguments)
                return SUSPENDED
            inputs = entered
        return execute_run(
            arguments,
            manager,
            run_id,
            lambda: manager.resume(run_id, inputs, flow=arguments.file, stale_after=stale_after),
            recorded=True,
        )
