"""``taskrun delete``: delete recorded runs, and the runs that they called.

    $ taskrun delete 3f9a
    deleted run 3f9a04c1d5e64b7a9c21f0b8e7d6a5c4

Rules: if one of several ids is unknown or ambiguous, no run is deleted. A run that a live process executes is not
deleted; the exit status is then 3.
"""

from __future__ import annotations

import argparse

from taskrun.cli.history import open_history
from taskrun.cli.manager_options import add_store_options
from taskrun.cli.stderr import report
from taskrun.cli.stdout import print_result
from taskrun.errors import RunOwnedError, UnknownRunError


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``taskrun delete``."""
    parser.add_argument("runs", nargs="+", metavar="RUN", help="the id of a run, or a unique prefix of it")
    add_store_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Delete runs and return the exit status."""
    from taskrun.durable.history import resolve_run_id

    lines, status = [], 0
    with open_history(arguments) as history:
        for run_id in dict.fromkeys([resolve_run_id(history.store, text) for text in arguments.runs]):
            try:
                history.delete(run_id)
            except RunOwnedError as error:
                report(f"taskrun: error: {error}")
                status = error.exit_status
            except UnknownRunError:
                lines.append(f"run {run_id} was already deleted")  # with the run that called it, for example
            else:
                lines.append(f"deleted run {run_id}")
    return (print_result("\n".join(lines)) if lines else 0) or status
