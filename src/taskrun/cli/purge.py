"""``taskrun purge``: delete all runs that ended before a given time.

    $ taskrun purge --older-than 30d
    deleted 12 runs

Rules: runs that are active or suspended are kept. A run that another run called is deleted only together with that run.
"""

from __future__ import annotations

import argparse

from taskrun.cli.history import open_history
from taskrun.cli.manager_options import add_store_options
from taskrun.cli.stdout import pluralize, print_result
from taskrun.cli.times import parse_duration_option


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``taskrun purge``."""
    text = "delete the runs that ended longer than TIME ago: 30m, 12h, 30d or 4w for example"
    parser.add_argument("--older-than", type=parse_duration_option, required=True, metavar="TIME", help=text)
    add_store_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Delete old runs and return the exit status."""
    with open_history(arguments) as history:
        count = history.purge(arguments.older_than)
    return print_result(f"deleted {pluralize(count, 'run')}")
