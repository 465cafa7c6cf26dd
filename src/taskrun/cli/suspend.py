"""``taskrun suspend``: let a run stop where it is, so that it can be resumed.

    $ taskrun suspend 3f9a
    run 3f9a04c1 is SUSPENDED

Rules: running steps finish, no new ones start; this waits until then. What is not at work cannot be suspended: exit status 1.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from taskrun.cli.parser import Parser
from taskrun.cli.stores import add_store_options, recorded_runs

DESCRIPTION = "Let a run stop where it is: running steps finish, no new ones start, and it can be resumed."


def execute(words: Sequence[str]) -> int:
    """Run the command line and return its exit status."""
    parser = Parser("suspend", DESCRIPTION)
    parser.add_argument("run", metavar="RUN", help="the id of the run, or the beginning of it")
    parser.add_argument("--no-wait", action="store_true", help="do not wait until the run stands still")
    add_store_options(parser)
    arguments = parser.parse_args(words)
    from taskrun.cli.exit_codes import guarded

    return guarded(lambda: _suspend(arguments))


def _suspend(arguments: argparse.Namespace) -> int:
    from taskrun.cli.exit_codes import CANCELLED, say
    from taskrun.cli.liveness import until_still, works_on
    from taskrun.cli.run_execution import SHOWN
    from taskrun.cli.stdout import write
    from taskrun.core.control import SUSPEND
    from taskrun.core.states import RunState
    from taskrun.durable.history import resolve_run_id

    with recorded_runs(arguments) as history:
        store = history.store
        run_id = resolve_run_id(store, arguments.run)
        name = f"run {run_id[:SHOWN]}"
        run = store.load(run_id)
        if not works_on(run):
            dead = "its process is dead: taskrun resume goes on with it" if run.state.active else f"it is {run.state}"
            say(f"taskrun: error: {name} is not at work: {dead}")
            return 1
        store.request(run_id, SUSPEND)
        if arguments.no_wait:
            return write(f"{name} was asked to stop")
        try:
            state = until_still(store, run_id)
        except KeyboardInterrupt:
            say(f"taskrun: {name} was asked to stop; this does not wait for it any longer")
            return CANCELLED
        if state is RunState.SUSPENDED:
            return write(f"{name} is SUSPENDED")
        say(f"taskrun: error: {name} was not suspended: it is {state}")
        return 1
