"""``taskrun suspend``: suspend a run as soon as its running steps have finished.

    $ taskrun suspend 3f9a
    run 3f9a04c1 is SUSPENDED

Rules: the running steps are finished, no new ones are started, and the command waits until the run is suspended. The
run must be executed by a live process; otherwise the exit status is 1.
"""

from __future__ import annotations

import argparse

from taskrun.cli.exit_codes import CANCELLED, FAILED
from taskrun.cli.history import open_history
from taskrun.cli.manager_options import add_store_options
from taskrun.cli.stderr import report
from taskrun.cli.stdout import print_result


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``taskrun suspend``."""
    parser.add_argument("run", metavar="RUN", help="the id of the run, or a unique prefix of it")
    parser.add_argument("--no-wait", action="store_true", help="do not wait until the run is suspended")
    add_store_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Suspend a run and return the exit status."""
    from taskrun.cli.liveness import has_live_owner, wait_until_inactive
    from taskrun.cli.run_execution import SHOWN_ID_LENGTH
    from taskrun.core.control import SUSPEND
    from taskrun.core.states import RunState
    from taskrun.durable.history import resolve_run_id

    with open_history(arguments) as history:
        store = history.store
        run_id = resolve_run_id(store, arguments.run)
        name = f"run {run_id[:SHOWN_ID_LENGTH]}"
        record = store.load(run_id)
        if not has_live_owner(record):
            dead = "its process has died; resume it with 'taskrun resume'"
            report(f"taskrun: error: {name} is not running: {dead if record.state.active else f'it is {record.state}'}")
            return FAILED
        store.request(run_id, SUSPEND)
        if arguments.no_wait:
            return print_result(f"suspension of {name} is requested")
        try:
            state = wait_until_inactive(store, run_id)
        except KeyboardInterrupt:
            report(f"taskrun: suspension of {name} is requested; stopped waiting for it")
            return CANCELLED
        if state is RunState.SUSPENDED:
            return print_result(f"{name} is SUSPENDED")
        report(f"taskrun: error: {name} was not suspended: it is {state}")
        return FAILED
