"""``taskrun resume``: go on with a run that is suspended, has failed, or whose process has died.

    $ taskrun resume 3f9a --input approved=true
    {"paid": true}

Rules: what was done is not done again. Inputs are those that the run waits for, and those of the task that are not
recorded; they mean what they mean for ``taskrun run``. The flow is the one that the run began with, whatever has become of
its file; what a flow may import and where it finds others has to be said again.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from taskrun.cli.parser import Parser, add_input_options, add_settings
from taskrun.cli.stores import add_store_options, existing_store

DESCRIPTION = "Go on with a run that is suspended, has failed, or whose process has died, and print its outputs."


def execute(words: Sequence[str]) -> int:
    """Run the command line and return its exit status."""
    from taskrun.cli.run_execution import add_run_options, check_terminal
    from taskrun.cli.times import span

    parser = Parser("resume", DESCRIPTION)
    parser.add_argument("run", metavar="RUN", help="the id of the run, or the beginning of it")
    add_input_options(parser)
    parser.add_argument("--flow", dest="file", metavar="FILE", help="go on with this flow; steps are matched by path")
    text = "after which silence an owner on another machine counts as dead (30s)"
    parser.add_argument("--stale-after", type=span, default=None, metavar="TIME", help=text)
    add_settings(parser)
    add_run_options(parser)
    add_store_options(parser)
    arguments = parser.parse_args(words)
    check_terminal(parser, arguments)
    from taskrun.cli.exit_codes import guarded

    return guarded(lambda: _resume(arguments), verbose=arguments.verbose)


def _resume(arguments: argparse.Namespace) -> int:
    from taskrun.cli.inputs import read_inputs, typed_inputs
    from taskrun.cli.run_execution import SUSPENDED, finish, managed, tell
    from taskrun.durable.heartbeat import STALE_AFTER
    from taskrun.durable.history import resolve_run_id

    stale_after = STALE_AFTER if arguments.stale_after is None else arguments.stale_after
    with managed(arguments, store=existing_store(arguments)) as manager:
        run_id = resolve_run_id(manager.store, arguments.run)
        waiting = manager.waiting(run_id)
        typed = typed_inputs(manager.runs.flow_of(run_id, arguments.file), waiting)
        inputs = read_inputs(typed, arguments.input, arguments.inputs)
        if arguments.interactive and any(item.name not in inputs for place in waiting for item in place.asked):
            from taskrun.cli.prompt import ask

            answers = ask(waiting, inputs)
            if answers is None:
                tell(manager, run_id, arguments)
                return SUSPENDED
            inputs = answers
        return finish(
            arguments,
            manager,
            run_id,
            lambda: manager.resume(run_id, inputs, flow=arguments.file, stale_after=stale_after),
            recorded=True,
        )
