"""``taskrun trash``: remove runs from the record.

    $ taskrun trash 3f9a
    removed run 3f9a04c1d5e64b7a9c21f0b8e7d6a5c4

Rules: all ids are looked up before anything is removed. A run on which somebody works stays.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from taskrun.cli.parser import Parser
from taskrun.cli.stores import add_store_options, recorded_runs

DESCRIPTION = "Remove runs, and the runs that they called, from the record. A run on which somebody works stays."


def execute(words: Sequence[str]) -> int:
    """Run the command line and return its exit status."""
    parser = Parser("trash", DESCRIPTION)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="the id of a run, or the beginning of it")
    add_store_options(parser)
    arguments = parser.parse_args(words)
    from taskrun.cli.exit_codes import guarded

    return guarded(lambda: _trash(arguments))


def _trash(arguments: argparse.Namespace) -> int:
    from taskrun.cli.exit_codes import say
    from taskrun.cli.stdout import write
    from taskrun.durable.history import resolve_run_id
    from taskrun.errors import RunOwnedError, UnknownRunError

    removed, refused = [], 0
    with recorded_runs(arguments) as history:
        for run_id in dict.fromkeys([resolve_run_id(history.store, text) for text in arguments.runs]):
            try:
                history.delete(run_id)
            except RunOwnedError as error:
                say(f"taskrun: error: {error}")
                refused = error.exit_status
            except UnknownRunError:
                removed.append(f"run {run_id} is gone already")  # it went with the run that called it, for example
            else:
                removed.append(f"removed run {run_id}")
    return (write("\n".join(removed)) if removed else 0) or refused
