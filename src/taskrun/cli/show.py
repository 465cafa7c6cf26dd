"""``taskrun show``: show what is recorded of a run: where it stands, and the tree of its steps.

    $ taskrun show 3f9a
    run      3f9a04c1d5e64b7a9c21f0b8e7d6a5c4
    flow     greet
    state    FAILED
    …
    steps
      main  FAILED  12 ms
        fetch  SUCCEEDED  8 ms  {"RESULT": 1}
        store  FAILED  4 ms  attempt 2
          ValueError: no such order

Rules: steps stand in the order in which they began; what was not reached is not there. A value is shortened to a line,
``--json`` has it whole. Tracebacks are shown with ``-v`` only, in JSON too.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from taskrun.cli.parser import Parser
from taskrun.cli.stores import add_store_options, recorded_runs
from taskrun.cli.times import lasted, local

if TYPE_CHECKING:
    from taskrun.core.journal import StepRecord
    from taskrun.durable.run_tree import RunDetails, RunStep

DESCRIPTION = "Show what is recorded of a run: where it stands, its inputs and outputs, and the tree of its steps."
_SIGNALS = {"EXIT": "leaves the sequence", "END": "ends the task", "SUSPEND": "stops the run"}.items()


def execute(words: Sequence[str]) -> int:
    """Run the command line and return its exit status."""
    parser = Parser("show", DESCRIPTION)
    parser.add_argument("run", metavar="RUN", help="the id of the run, or the beginning of it")
    parser.add_argument("--json", action="store_true", help="print it as a JSON object")
    parser.add_argument("-v", "--verbose", action="store_true", help="with the tracebacks of errors")
    add_store_options(parser)
    arguments = parser.parse_args(words)
    from taskrun.cli.exit_codes import guarded

    return guarded(lambda: _show(arguments), verbose=arguments.verbose)


def _show(arguments: argparse.Namespace) -> int:
    from taskrun.cli.stdout import write
    from taskrun.durable.history import resolve_run_id

    with recorded_runs(arguments) as history:
        details = history.show(resolve_run_id(history.store, arguments.run))
    now = time.time()
    if arguments.json:
        from taskrun.cli.run_json import details_json

        shown = details_json(details, now, verbose=arguments.verbose)
        return write(json.dumps(shown, ensure_ascii=False, indent=2))
    return write("\n".join(lines(details, now, verbose=arguments.verbose)))


def lines(details: RunDetails, now: float, *, verbose: bool) -> Iterator[str]:
    """Yield the lines that tell of a run; ``now`` is when, in seconds since 1970."""
    from taskrun.cli.render_values import error_lines, in_short, one_line, readable

    for label, text in _header(details, now):
        if text:
            yield f"{label:<9}{one_line(text)}"
    run = details.run
    for label, recorded in (("inputs", run.inputs), ("outputs", run.outputs)):
        values = readable(recorded)
        if isinstance(values, Mapping) and values:
            yield label
            yield from (f"  {one_line(name)} = {_value(value)}" for name, value in values.items())
    if run.waits_for is not None:
        yield f"{'waits for':<9} {in_short(run.waits_for)}"
    if run.error is not None:
        yield "error"
        yield from (f"  {line}" for line in error_lines(run.error, verbose=verbose))
    if details.steps or details.parts:
        yield "steps"
    yield from _part_lines(details.parts, "  ", verbose=verbose)
    for step in details.steps:
        yield from _step_lines(step, "  ", verbose=verbose)


def _header(details: RunDetails, now: float) -> Iterator[tuple[str, str]]:
    from taskrun.cli.runs import state_told, took

    run = details.run
    yield "run", run.run_id
    yield "flow", " ".join(filter(None, (run.flow, run.version, run.path and f"({run.path})")))
    yield "state", state_told(run, now)
    yield "owner", str(run.owner or "")
    yield "created", local(run.created)
    yield "started", local(run.started)
    yield "ended", local(run.ended)
    yield "took", took(run, now)
    yield "caller", "" if run.parent is None else f"{run.parent} {run.parent_step or ''}"
    yield "flags", ", ".join(sorted(run.flags))


def _value(value: object) -> str:
    from taskrun.cli.render_values import SHORT, one_line

    return one_line(json.dumps(value, ensure_ascii=False), SHORT)


def _step_lines(step: RunStep, indent: str, *, verbose: bool) -> Iterator[str]:
    from taskrun.cli.render_values import one_line

    record = step.record
    if record is None:
        yield f"{indent}{one_line(step.name)}"
    else:
        yield from _record_lines(record, step.name, step.attempt, indent, verbose=verbose)
    yield from _part_lines(step.parts, f"{indent}  ", verbose=verbose)
    for inner in step.steps:
        yield from _step_lines(inner, f"{indent}  ", verbose=verbose)


def _part_lines(parts: Sequence[StepRecord], indent: str, *, verbose: bool) -> Iterator[str]:
    from taskrun.durable.run_tree import step_and_part

    for record in parts:
        yield from _record_lines(
            record, f":{step_and_part(record)[1] or record.kind}", record.attempt, indent, verbose=verbose
        )


def _record_lines(record: StepRecord, name: str, attempt: int, indent: str, *, verbose: bool) -> Iterator[str]:
    """Yield the lines of one record: name, state, time, what came of it, then its error."""
    from taskrun.cli.render_values import error_lines, in_short, one_line

    took = "" if record.started == record.ended else lasted(record.started, record.ended)
    plain = name.startswith(":") and record.state.value == "SUCCEEDED"  # that items were noted goes without saying
    words = [one_line(name), "" if plain else record.state.value, took]
    words.append(f"attempt {attempt}" if attempt > 1 else "")
    words.append(in_short(record.outputs))
    words.append(f"then {one_line(record.target)}" if record.target else "")
    words += [told for signal, told in _SIGNALS if signal == record.signal.name]
    words.append(f"({one_line(record.note)})" if record.note else "")
    yield indent + "  ".join(filter(None, words))
    if record.error is not None:
        yield from (f"{indent}    {line}" for line in error_lines(record.error, verbose=verbose))
