"""``taskrun runs``: list the recorded runs, newest first.

    $ taskrun runs --state failed --since 2h
    RUN                               FLOW   STATE   STARTED              DURATION  OWNER
    3f9a04c1d5e64b7a9c21f0b8e7d6a5c4  greet  FAILED  2026-01-31 08:00:00  12 ms

Rules: an orphaned run, whose owner is dead, has a remark behind its state. On a terminal an id is shortened to a prefix
that no other run has; otherwise it is complete. ``--json`` prints an array, which may be empty.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from taskrun.cli.exit_codes import SUCCEEDED
from taskrun.cli.history import open_history
from taskrun.cli.manager_options import add_store_options
from taskrun.cli.render_values import one_line
from taskrun.cli.stderr import report
from taskrun.cli.stdout import print_result
from taskrun.cli.times import format_elapsed, format_iso, format_local, parse_since_option

if TYPE_CHECKING:
    from taskrun.durable.records import Owner, RunSummary

MIN_PREFIX_LENGTH = 8
"""Least number of characters of an id that a terminal shows."""

_HEADINGS = ("RUN", "FLOW", "STATE", "STARTED", "DURATION", "OWNER")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``taskrun runs``."""
    now = time.time()
    parser.set_defaults(now=now)
    parser.add_argument("--state", type=_parse_state, metavar="STATE", help="only runs in this state, such as FAILED")
    parser.add_argument("--flow", metavar="FLOW", help="only runs of the flow of this name")
    text = "only runs created since TIME: a duration such as 30m or 3d, or a date or time such as 2026-01-31T08:00"
    parser.add_argument("--since", type=lambda word: parse_since_option(word, now), metavar="TIME", help=text)
    parser.add_argument("--limit", type=_parse_limit, metavar="N", help="at most N runs")
    parser.add_argument("--json", action="store_true", help="print a JSON array")
    add_store_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the list of runs and return the exit status."""
    now = arguments.now
    with open_history(arguments) as history:
        runs = history.runs(arguments.state, arguments.flow, arguments.since, arguments.limit)
        ids = unique_prefixes([run.run_id for run in history.runs()]) if runs and sys.stdout.isatty() else {}
    if arguments.json:
        return print_result(json.dumps([summary_json(run, now) for run in runs], ensure_ascii=False, indent=2))
    if not runs:
        report("taskrun runs: no runs found")
        return SUCCEEDED
    return print_result("\n".join(format_table([_HEADINGS, *(_table_row(run, ids, now) for run in runs)])))


def _table_row(run: RunSummary, ids: dict[str, str], now: float) -> tuple[str, ...]:
    """Return the cells of a run in the table: id, flow, state, start, duration, owner."""
    cells = (
        ids.get(run.run_id, run.run_id),
        run.flow,
        describe_state(run, now),
        format_local(run.started),
        format_run_time(run, now),
        str(run.owner or ""),
    )
    return tuple(map(one_line, cells))


def describe_state(run: RunSummary, now: float) -> str:
    """Return the state of a run; if the run is orphaned, with a remark that it can be resumed."""
    from taskrun.durable.history import is_orphaned

    if not is_orphaned(run, now):
        return run.state.value
    return f"{run.state.value} ({'owner is dead' if run.owner else 'it has no owner'}: resume it)"


def format_run_time(run: RunSummary, now: float) -> str:
    """Return how long a run took, as text; ``""`` if the run has not started, or is suspended.

    The time ends now if the run is active, and at the last heartbeat of the owner if the run is orphaned.
    """
    from taskrun.durable.history import is_orphaned

    until = run.ended
    if until is None and run.state.active:
        until = run.heartbeat if is_orphaned(run, now) else now
    return format_elapsed(run.started, until)


def summary_json(run: RunSummary, now: float) -> dict[str, Any]:
    """Return a run as one object of the array that ``taskrun runs --json`` prints."""
    from taskrun.durable.history import is_orphaned

    return {
        "run_id": run.run_id,
        "flow": run.flow,
        "version": run.version,
        "state": run.state.value,
        "created": format_iso(run.created),
        "started": format_iso(run.started),
        "ended": format_iso(run.ended),
        "owner": _owner_json(run.owner),
        "resumable": is_orphaned(run, now),
        "error": None if run.error is None else str(run.error),
    }


def _owner_json(owner: Owner | None) -> dict[str, Any] | None:
    return None if owner is None else {"host": owner.host, "pid": owner.pid}


def unique_prefixes(ids: Sequence[str]) -> dict[str, str]:
    """Return for each id a prefix that no other id has, of at least MIN_PREFIX_LENGTH characters.

    >>> unique_prefixes(["aaaaaaaaa1", "aaaaaaaaa2", "bbbbbbbbbb"])
    {'aaaaaaaaa1': 'aaaaaaaaa1', 'aaaaaaaaa2': 'aaaaaaaaa2', 'bbbbbbbbbb': 'bbbbbbbb'}
    """
    lengths = dict.fromkeys(sorted(ids), MIN_PREFIX_LENGTH)
    for one, other in pairwise(lengths):  # sorted: the ids with the longest common prefix are neighbours
        same = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
        lengths[one] = max(lengths[one], same + 1)
        lengths[other] = max(lengths[other], same + 1)
    return {one: one[:length] for one, length in lengths.items()}


def format_table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table with aligned columns; ``rows`` contains the headings and the cells."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def _parse_state(text: str) -> Any:
    from taskrun.durable.history import state_of

    try:
        return state_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _parse_limit(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text[:10]) < 10**9:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of runs above 0")
    return int(text)
