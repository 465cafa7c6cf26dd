"""``taskrun cancel``: stop a run, wherever it is at work, and undo what it has done.

    $ taskrun cancel 3f9a
    run 3f9a04c1 is CANCELLED

Rules: a run that another process works on is asked to end, and this waits until it has; what nobody works on is undone
here. A run that is over cannot be cancelled: exit status 1.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from taskrun.cli.parser import Parser, add_settings
from taskrun.cli.stores import add_store_options, existing_store

if TYPE_CHECKING:
    from taskrun.manager import TaskManager

DESCRIPTION = "Stop a run: its running steps end now, and what it has done is undone."


def execute(words: Sequence[str]) -> int:
    """Run the command line and return its exit status."""
    parser = Parser("cancel", DESCRIPTION)
    parser.add_argument("run", metavar="RUN", help="the id of the run, or the beginning of it")
    parser.add_argument("--no-revert", action="store_true", help="do not undo what the run has done")
    parser.add_argument("--no-wait", action="store_true", help="do not wait until another process has ended the run")
    add_settings(parser)
    parser.add_argument("-v", "--verbose", action="store_true", help="tracebacks of failures")
    parser.set_defaults(quiet=True, events=None)
    add_store_options(parser)
    arguments = parser.parse_args(words)
    from taskrun.cli.exit_codes import guarded

    return guarded(lambda: _cancel(arguments), verbose=arguments.verbose)


def _cancel(arguments: argparse.Namespace) -> int:
    from taskrun.cli.exit_codes import CANCELLED, say
    from taskrun.cli.liveness import is_over
    from taskrun.cli.run_execution import SHOWN, managed, signals
    from taskrun.durable.history import resolve_run_id

    with managed(arguments, store=existing_store(arguments)) as manager:
        run_id = resolve_run_id(manager.store, arguments.run)
        state = manager.store.load(run_id).state
        if is_over(state):
            say(f"taskrun: error: run {run_id[:SHOWN]} is over: it is {state}")
            return 1
        try:
            with signals(manager):
                return _end(manager, run_id, arguments)
        except KeyboardInterrupt:
            say(f"taskrun: run {run_id[:SHOWN]} was asked to end; this does not wait for it any longer")
            return CANCELLED


def _end(manager: TaskManager, run_id: str, arguments: argparse.Namespace) -> int:
    """Cancel the run until it is over: an owner may die while it is waited for, or suspend the run."""
    from taskrun.cli.exit_codes import say
    from taskrun.cli.liveness import is_over, until_still
    from taskrun.cli.run_execution import SHOWN
    from taskrun.cli.stdout import write
    from taskrun.core.states import RunState

    name = f"run {run_id[:SHOWN]}"
    while True:
        manager.cancel(run_id, revert=not arguments.no_revert)
        if arguments.no_wait and manager.store.load(run_id).state.active:
            return write(f"{name} was asked to end")
        state = until_still(manager.store, run_id)
        if state is RunState.CANCELLED:
            return write(f"{name} is CANCELLED")
        if is_over(state) or state is RunState.REVERT_FAILED:
            say(f"taskrun: error: {name} is not cancelled: it is {state}")
            return 1
