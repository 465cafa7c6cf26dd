"""``taskrun runs``: list the runs that were recorded, the newest first.

    $ taskrun runs --state failed --since 2h
    RUN                               FLOW   STATE   STARTED              DURATION  OWNER
    3f9a04c1d5e64b7a9c21f0b8e7d6a5c4  greet  FAILED  2026-01-31 08:00:00  12 ms

Rules: a run that should be at work and whose owner is dead is listed as such. On a terminal an id is cut to what is
enough to name the run; elsewhere it is whole. ``--json`` prints a list, also an empty one.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from taskrun.cli.parser import Parser
from taskrun.cli.stores import add_store_options, recorded_runs
from taskrun.cli.times import iso, lasted, local, since

if TYPE_CHECKING:
    from taskrun.durable.records import Owner, RunSummary

DESCRIPTION = "List the runs that were recorded, the newest first."
SHORTEST = 8
"""How many characters of an id a terminal shows at least."""

_HEADINGS = ("RUN", "FLOW", "STATE", "STARTED", "DURATION", "OWNER")


def execute(words: Sequence[str]) -> int:
    """Run the command line and return its exit status."""
    now = time.time()
    parser = Parser("runs", DESCRIPTION)
    parser.add_argument("--state", type=_state, metavar="STATE", help="only runs in this state, such as FAILED")
    parser.add_argument("--flow", metavar="FLOW", help="only runs of the flow of this name")
    parser.add_argument(
        "--since",
        type=lambda text: since(text, now),
        metavar="TIME",
        help="only runs made since then: a span such as 30m, 2h or 3d, or a date or time such as 2026-01-31T08:00",
    )
    parser.add_argument("--limit", type=_number, metavar="N", help="so many at most")
    parser.add_argument("--json", action="store_true", help="print them as a JSON array")
    add_store_options(parser)
    arguments = parser.parse_args(words)
    from taskrun.cli.exit_codes import guarded

    return guarded(lambda: _list(arguments, now))


def _list(arguments: argparse.Namespace, now: float) -> int:
    from taskrun.cli.exit_codes import say
    from taskrun.cli.stdout import write

    with recorded_runs(arguments) as history:
        runs = history.runs(arguments.state, arguments.flow, arguments.since, arguments.limit)
        ids = shortest([run.run_id for run in history.runs()]) if runs and sys.stdout.isatty() else {}
    if arguments.json:
        return write(json.dumps([summary_json(run, now) for run in runs], ensure_ascii=False, indent=2))
    if not runs:
        say("taskrun runs: there are no such runs")
        return 0
    return write("\n".join(table([_HEADINGS, *(_row(run, ids, now) for run in runs)])))


def _row(run: RunSummary, ids: dict[str, str], now: float) -> tuple[str, ...]:
    from taskrun.cli.render_values import one_line

    texts = (ids.get(run.run_id, run.run_id), run.flow, state_told(run, now), local(run.started), took(run, now))
    return *(one_line(text) for text in texts), one_line(str(run.owner or ""))


def state_told(run: RunSummary, now: float) -> str:
    """Return the state of a run and, when its owner is dead, that it is."""
    from taskrun.durable.history import is_orphaned

    if not is_orphaned(run, now):
        return run.state.value
    return f"{run.state.value} ({'owner is dead' if run.owner else 'nobody works on it'}: resume it)"


def took(run: RunSummary, now: float) -> str:
    """Return how long a run took: until it ended, until now if it is at work, until its last sign if that is over."""
    from taskrun.durable.history import is_orphaned

    until = run.ended
    if until is None and run.state.active:
        until = run.heartbeat if is_orphaned(run, now) else now
    return lasted(run.started, until)


def summary_json(run: RunSummary, now: float) -> dict[str, Any]:
    """Return what a list shows of a run, for programs."""
    from taskrun.durable.history import is_orphaned

    return {
        "run_id": run.run_id,
        "flow": run.flow,
        "version": run.version,
        "state": run.state.value,
        "created": iso(run.created),
        "started": iso(run.started),
        "ended": iso(run.ended),
        "owner": _owner_json(run.owner),
        "resumable": is_orphaned(run, now),
        "error": None if run.error is None else str(run.error),
    }


def _owner_json(owner: Owner | None) -> dict[str, Any] | None:
    return None if owner is None else {"host": owner.host, "pid": owner.pid}


def shortest(ids: Sequence[str]) -> dict[str, str]:
    """Return for each id a beginning that no other has, of at least SHORTEST characters.

    >>> shortest(["aaaaaaaaa1", "aaaaaaaaa2", "bbbbbbbbbb"])
    {'aaaaaaaaa1': 'aaaaaaaaa1', 'aaaaaaaaa2': 'aaaaaaaaa2', 'bbbbbbbbbb': 'bbbbbbbb'}
    """
    lengths = dict.fromkeys(sorted(ids), SHORTEST)
    for one, other in pairwise(lengths):  # those that begin most alike are neighbours
        same = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
        lengths[one] = max(lengths[one], same + 1)
        lengths[other] = max(lengths[other], same + 1)
    return {one: one[:length] for one, length in lengths.items()}


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table whose columns are as wide as they need to be."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def _state(text: str) -> Any:
    from taskrun.durable.history import state_of

    try:
        return state_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _number(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text[:10]) < 10**9:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of runs")
    return int(text)
