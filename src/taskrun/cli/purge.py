"""``taskrun purge``: remove the runs that ended long ago.

    $ taskrun purge --older-than 30d
    removed 12 runs

Rules: what is at work or suspended stays, however old it is; a run that was called stays as long as its caller does.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from taskrun.cli.parser import Parser
from taskrun.cli.stores import add_store_options, recorded_runs
from taskrun.cli.times import span

DESCRIPTION = "Remove the runs that ended long ago, with the runs that they called."


def execute(words: Sequence[str]) -> int:
    """Run the command line and return its exit status."""
    parser = Parser("purge", DESCRIPTION)
    parser.add_argument(
        "--older-than", type=span, required=True, metavar="TIME", help="how long ago: 30m, 12h, 30d or 4w for example"
    )
    add_store_options(parser)
    arguments = parser.parse_args(words)
    from taskrun.cli.exit_codes import guarded

    return guarded(lambda: _purge(arguments))


def _purge(arguments: argparse.Namespace) -> int:
    from taskrun.cli.stdout import counted, write

    with recorded_runs(arguments) as history:
        count = history.purge(arguments.older_than)
    return write(f"removed {counted(count, 'run')}")
