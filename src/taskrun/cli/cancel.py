"""``taskrun cancel``: cancel a run and undo its finished steps.

    $ taskrun cancel 3f9a
    run 3f9a04c1 is CANCELLED

Rules: if a live process executes the run, the command asks that process to cancel it, and waits until the run has
ended. Otherwise the command undoes the steps itself. If the run is in a final state already, the exit status is 1.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from taskrun.cli.exit_codes import CANCELLED, FAILED
from taskrun.cli.history import existing_store_url
from taskrun.cli.manager_options import add_manager_options, add_store_options
from taskrun.cli.stderr import report
from taskrun.cli.stdout import print_result

if TYPE_CHECKING:
    from taskrun.manager import TaskManager


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``taskrun cancel``."""
    parser.add_argument("run", metavar="RUN", help="the id of the run, or a unique prefix of it")
    parser.add_argument("--no-revert", action="store_true", help="do not undo the finished steps")
    parser.add_argument("--no-wait", action="store_true", help="do not wait until the owner has cancelled the run")
    add_manager_options(parser)
    parser.add_argument("-v", "--verbose", action="store_true", help="show tracebacks of failures")
    parser.set_defaults(quiet=True, events=None)
    add_store_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Cancel the run that the options name, and return the exit status."""
    from taskrun.cli.liveness import is_final
    from taskrun.cli.run_execution import SHOWN_ID_LENGTH, cancel_on_signals, open_manager
    from taskrun.durable.history import resolve_run_id

    with open_manager(arguments, store=existing_store_url(arguments)) as manager:
        run_id = resolve_run_id(manager.store, arguments.run)
        name = f"run {run_id[:SHOWN_ID_LENGTH]}"
        state = manager.store.load(run_id).state
        if is_final(state):
            report(f"taskrun: error: {name} cannot be cancelled: it is {state}")
            return FAILED
        try:
            with cancel_on_signals(manager):
                return _cancel_until_ended(manager, run_id, name, arguments)
        except KeyboardInterrupt:
            report(f"taskrun: cancellation of {name} is requested; stopped waiting for it")
            return CANCELLED


def _cancel_until_ended(manager: TaskManager, run_id: str, name: str, arguments: argparse.Namespace) -> int:
    """Request the cancellation again and again until the run has ended, and return the exit status.

    One request does not suffice: the process that executes the run may die before it has cancelled it. ``name`` is the
    text for the run in messages.
    """
    from taskrun.cli.liveness import is_final, wait_until_inactive
    from taskrun.core.states import RunState

    while True:
        manager.cancel(run_id, revert=not arguments.no_revert)
        if arguments.no_wait and manager.store.load(run_id).state.active:
            return print_result(f"cancellation of {name} is requested")
        state = wait_until_inactive(manager.store, run_id)
        if state is RunState.CANCELLED:
            return print_result(f"{name} is CANCELLED")
        if is_final(state) or state is RunState.REVERT_FAILED:
            report(f"taskrun: error: {name} was not cancelled: it is {state}")
            return FAILED
