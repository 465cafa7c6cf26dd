"""``taskrun show``: show the state, inputs, outputs, errors and steps of a recorded run.

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

Rules: steps are in the order in which they started; steps that were not reached are missing. A value is cut to one
line, except with ``--json``. Tracebacks are shown only with ``-v``, also in the JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from taskrun.cli.history import open_history
from taskrun.cli.manager_options import add_store_options
from taskrun.cli.render_values import MAX_VALUE_LENGTH, abbreviate, error_lines, one_line, untagged
from taskrun.cli.stdout import print_result
from taskrun.cli.times import format_elapsed, format_local

if TYPE_CHECKING:
    from taskrun.core.journal import StepRecord
    from taskrun.durable.records import RunRecord
    from taskrun.durable.run_tree import RunDetails, RunStep

_SIGNALS = {"EXIT": "leaves the sequence", "END": "ends the task", "SUSPEND": "suspends the run"}.items()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``taskrun show``."""
    parser.add_argument("run", metavar="RUN", help="the id of the run, or a unique prefix of it")
    parser.add_argument("--json", action="store_true", help="print a JSON object")
    parser.add_argument("-v", "--verbose", action="store_true", help="show the tracebacks of errors")
    add_store_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print a recorded run and return the exit status."""
    from taskrun.durable.history import resolve_run_id

    with open_history(arguments) as history:
        details = history.show(resolve_run_id(history.store, arguments.run))
    now = time.time()
    if arguments.json:
        from taskrun.cli.run_json import details_json

        shown = details_json(details, now, verbose=arguments.verbose)
        return print_result(json.dumps(shown, ensure_ascii=False, indent=2))
    return print_result("\n".join(run_lines(details, now, verbose=arguments.verbose)))


def run_lines(details: RunDetails, now: float, *, verbose: bool) -> Iterator[str]:
    """Yield the lines that show a run.

    Parameters:
        details: the run and the tree of its steps.
        now: the present time in seconds since 1970, which decides whether the owner is dead.
        verbose: whether errors include their tracebacks.
    """
    for label, text in _header_fields(details.run, now):
        if text:
            yield f"{label:<9}{one_line(text)}"
    run = details.run
    for label, recorded in (("inputs", run.inputs), ("outputs", run.outputs)):
        values = untagged(recorded)
        if isinstance(values, Mapping) and values:
            yield label
            yield from (f"  {one_line(name)} = {_value_text(value)}" for name, value in values.items())
    if run.waits_for is not None:
        yield f"wait points {abbreviate(run.waits_for)}"
    if run.error is not None:
        yield "error"
        yield from (f"  {line}" for line in error_lines(run.error, verbose=verbose))
    if details.steps or details.parts:
        yield "steps"
    yield from _part_lines(details.parts, "  ", verbose=verbose)
    for step in details.steps:
        yield from _step_lines(step, "  ", verbose=verbose)


def _header_fields(run: RunRecord, now: float) -> Iterator[tuple[str, str]]:
    """Yield the label and the text of each line above the inputs, such as the state of the run."""
    from taskrun.cli.runs import describe_state, format_run_time

    yield "run", run.run_id
    yield "flow", " ".join(filter(None, (run.flow, run.version, run.path and f"({run.path})")))
    yield "state", describe_state(run, now)
    yield "owner", str(run.owner or "")
    yield "created", format_local(run.created)
    yield "started", format_local(run.started)
    yield "ended", format_local(run.ended)
    yield "took", format_run_time(run, now)
    yield "caller", "" if run.parent is None else f"{run.parent} {run.parent_step or ''}"
    yield "flags", ", ".join(sorted(run.flags))


def _value_text(value: object) -> str:
    return one_line(json.dumps(value, ensure_ascii=False), MAX_VALUE_LENGTH)


def _step_lines(step: RunStep, indent: str, *, verbose: bool) -> Iterator[str]:
    """Yield the lines that show a step, its parts and the steps inside it."""
    record = step.record
    if record is None:
        yield f"{indent}{one_line(step.name)}"
    else:
        yield from _record_lines(record, step.name, step.attempt, indent, verbose=verbose)
    yield from _part_lines(step.parts, f"{indent}  ", verbose=verbose)
    for inner in step.steps:
        yield from _step_lines(inner, f"{indent}  ", verbose=verbose)


def _part_lines(parts: Sequence[StepRecord], indent: str, *, verbose: bool) -> Iterator[str]:
    """Yield the lines that show the parts of a step or run, such as the items of a loop."""
    from taskrun.durable.run_tree import step_and_part

    for record in parts:
        yield from _record_lines(
            record, f":{step_and_part(record)[1] or record.kind}", record.attempt, indent, verbose=verbose
        )


def _record_lines(record: StepRecord, name: str, attempt: int, indent: str, *, verbose: bool) -> Iterator[str]:
    """Yield a line that shows the record of a step or part, then the lines of its error.

    The line has the name, state, duration, outputs, next step and note.
    """
    elapsed = "" if record.started == record.ended else format_elapsed(record.started, record.ended)
    recorded_part = name.startswith(":") and record.state.value == "SUCCEEDED"  # its state is not worth a word
    words = [one_line(name), "" if recorded_part else record.state.value, elapsed]
    words.append(f"attempt {attempt}" if attempt > 1 else "")
    words.append(abbreviate(record.outputs))
    words.append(f"next: {one_line(record.target)}" if record.target else "")
    words += [effect for signal, effect in _SIGNALS if signal == record.signal.name]
    words.append(f"({one_line(record.note)})" if record.note else "")
    yield indent + "  ".join(filter(None, words))
    if record.error is not None:
        yield from (f"{indent}    {line}" for line in error_lines(record.error, verbose=verbose))
