"""Records as rows of the SQLite store, and back.

Rules: a text is stored as text. One that UTF-8 cannot hold (lone surrogates of file names) is a blob that begins with
``t``; a long one is in a file and its cell a blob of ``f`` and the file's name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

from taskrun.core.completion import Signal
from taskrun.core.records import (
    ErrorRecord,
    Owner,
    RunChanges,
    RunRecord,
    RunState,
    RunSummary,
    StepRecord,
    StepState,
    sha256_of,
)

LONGEST = 256 * 1024
"""How many characters a cell holds; longer texts go to files."""

STEP_COLUMNS = "key, kind, state, attempt, input_names, outputs, signal, target, error, note, started, ended, inputs"
SUMMARY_COLUMNS = (
    "run_id, flow, version, path, sha256, state, owner_host, owner_pid, owner_token, epoch, heartbeat, "
    "created, started, ended, parent, parent_step, error"
)
LONG_COLUMNS = "flags, inputs, outputs, waits_for"

Cell: TypeAlias = str | bytes | int | float | None
Spill: TypeAlias = Callable[[bytes], str]
"""Puts a long text into a file and returns the file's name."""
Fetch: TypeAlias = Callable[[str], bytes]
"""Returns what is in the file of that name."""


def cell(text: str | None, spill: Spill | None = None) -> Cell:
    """Return what is stored for a text; without ``spill`` even a long one stays in its row."""
    if text is None:
        return None
    if spill is not None and len(text) > LONGEST:
        return b"f" + spill(text.encode("utf-8", "surrogatepass")).encode()
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return b"t" + text.encode("utf-8", "surrogatepass")
    return text


def text_of(stored: Any, fetch: Fetch) -> Any:
    """Return the text, or None, that a cell stands for."""
    if not isinstance(stored, bytes):
        return stored
    data = stored[1:] if stored.startswith(b"t") else fetch(stored[1:].decode())
    return data.decode("utf-8", "surrogatepass")


def step_row(record: StepRecord, spill: Spill | None = None) -> tuple[Cell, ...]:
    """Return the cells of STEP_COLUMNS."""
    return (
        record.key if record.key.isascii() else cell(record.key),
        record.kind,
        record.state._value_,
        record.attempt,
        json.dumps(record.input_names) if record.input_names else None,
        cell(record.outputs, spill),
        record.signal._name_,
        cell(record.target),
        None if record.error is None else _error_cell(record.error, spill),
        record.note and cell(record.note),
        record.started,
        record.ended,
        None if record.inputs is None else cell(record.inputs, spill),
    )


def step_of(row: Sequence[Any], fetch: Fetch) -> StepRecord:
    """Return the record of a row of STEP_COLUMNS."""
    key, kind, state, attempt, names, outputs, signal, target, error, note, started, ended, inputs = row
    return StepRecord(
        text_of(key, fetch),
        kind,
        StepState(state),
        attempt,
        tuple(json.loads(names)) if names else (),
        text_of(outputs, fetch),
        Signal[signal],
        text_of(target, fetch),
        _error_of(error, fetch),
        text_of(note, fetch),
        started,
        ended,
        text_of(inputs, fetch),
    )


def run_row(run: RunRecord, spill: Spill) -> tuple[Cell, ...]:
    """Return the cells of SUMMARY_COLUMNS and LONG_COLUMNS."""
    owner = run.owner
    return (
        *(cell(text) for text in (run.run_id, run.flow, run.version, run.path, run.sha256)),
        run.state.value,
        *((owner.host, owner.pid, owner.token) if owner else (None, None, None)),
        *(run.epoch, run.heartbeat, run.created, run.started, run.ended),
        *(cell(text) for text in (run.parent, run.parent_step)),
        _error_cell(run.error, spill),
        *changed_columns(
            {"flags": run.flags, "inputs": run.inputs, "outputs": run.outputs, "waits_for": run.waits_for}, spill
        ).values(),
    )


def changed_columns(changes: RunChanges, spill: Spill) -> dict[str, Cell]:
    """Return the columns that change, with their cells; a new text by its hash only."""
    columns: dict[str, Cell] = {}
    for name, value in changes.items():
        if name == "owner":
            columns |= dict.fromkeys(("owner_host", "owner_pid", "owner_token"))
        elif name == "text":
            columns["sha256"] = sha256_of(cast("str", value))
        elif isinstance(value, frozenset):
            columns[name] = json.dumps(sorted(value))
        elif isinstance(value, ErrorRecord):
            columns[name] = _error_cell(value, spill)
        elif isinstance(value, str):
            columns[name] = cell(str(value), spill)  # a state becomes plain text, which SQLite binds faster
        else:
            columns[name] = cast("float | None", value)
    return columns


def summary_of(row: Sequence[Any], fetch: Fetch) -> RunSummary:
    """Return the summary of a row of SUMMARY_COLUMNS."""
    return RunSummary(**_summary(row, fetch))


def run_of(row: Sequence[Any], fetch: Fetch) -> RunRecord:
    """Return the run of a row of SUMMARY_COLUMNS, LONG_COLUMNS and the text."""
    flags, inputs, outputs, waits_for, text = (text_of(one, fetch) for one in row[-5:])
    return RunRecord(
        **_summary(row[:-5], fetch),
        flags=frozenset(json.loads(flags)),
        inputs=inputs,
        outputs=outputs,
        waits_for=waits_for,
        text=text,
    )


def _summary(row: Sequence[Any], fetch: Fetch) -> dict[str, Any]:
    values = dict(zip(SUMMARY_COLUMNS.split(", "), (text_of(one, fetch) for one in row), strict=True))
    host, pid, token = (values.pop(name) for name in ("owner_host", "owner_pid", "owner_token"))
    values["owner"] = None if host is None else Owner(host, pid, token)
    values["state"] = RunState(values["state"])
    values["error"] = _error_of(values["error"], fetch)
    return values


def _error_cell(error: ErrorRecord | None, spill: Spill | None) -> Cell:
    return None if error is None else cell(json.dumps(error.as_json()), spill)


def _error_of(stored: Any, fetch: Fetch) -> ErrorRecord | None:
    return None if stored is None else ErrorRecord.from_json(json.loads(text_of(stored, fetch)))
