"""Convert records to rows of the SQLite store, and back.

Rules: a text is stored as text, with two exceptions. A text that UTF-8 cannot encode (lone surrogates of file names) is
stored as a blob that begins with ``t``. A text of more than MAX_CELL_CHARACTERS is stored in a file; the database has a
blob of ``f`` and the name of the file.
"""

# ruff: noqa: S608  # only constants are formatted into statements

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeAlias, cast

from taskrun.core.completion import Signal
from taskrun.core.journal import ErrorRecord, StepRecord
from taskrun.core.states import RunState, StepState
from taskrun.durable.records import Owner, RunChanges, RunRecord, RunSummary, sha256_of

MAX_CELL_CHARACTERS = 256 * 1024
"""A text with more characters than this is stored in a file instead of the database."""

STEP_COLUMNS = "key, kind, state, attempt, input_names, outputs, signal, target, error, note, started, ended, inputs"
SUMMARY_COLUMNS = (
    "run_id, flow, version, path, sha256, state, owner_host, owner_pid, owner_token, epoch, heartbeat, "
    "created, started, ended, parent, parent_step, error"
)
LONG_COLUMNS = "flags, inputs, outputs, waits_for"

_SUCCEEDED, _NEXT = StepState.SUCCEEDED, Signal.NEXT
_STATES: Mapping[str, StepState] = MappingProxyType({state.value: state for state in StepState})

Cell: TypeAlias = str | bytes | int | float | None
Spill: TypeAlias = Callable[[bytes], str]
"""A function that writes data to a file for long values, and returns the name of the file."""
Fetch: TypeAlias = Callable[[str], bytes]
"""A function that takes the name of a file for long values, and returns its content."""


def cell(text: str | None, spill: Spill | None = None) -> Cell:
    """Return what the database stores for a text: the text itself, or a blob if it is too long or not valid in UTF-8.

    ``spill`` writes a text that is too long to a file; without ``spill``, a long text is stored in the database.
    """
    if text is None:
        return None
    if spill is not None and len(text) > MAX_CELL_CHARACTERS:
        return b"f" + spill(text.encode("utf-8", "surrogatepass")).encode()
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return b"t" + text.encode("utf-8", "surrogatepass")
    return text


def text_from_cell(stored: Any, fetch: Fetch) -> Any:
    """Return the text for a stored value; ``fetch`` reads a long text from its file.

    Only blobs are converted: a text, a number or None is returned unchanged.
    """
    if not isinstance(stored, bytes):
        return stored
    data = stored[1:] if stored.startswith(b"t") else fetch(stored[1:].decode())
    return data.decode("utf-8", "surrogatepass")


def step_row(record: StepRecord, spill: Spill) -> tuple[str, list[Cell]]:
    """Return the row of a step record: the names of the columns to set, separated by commas, and their values.

    A column whose value is the default of the table ``steps`` is left out. Most records set few columns, and each value
    costs time, even None.
    """
    key, kind, state, attempt, names, outputs, signal, target, error, note, started, ended, inputs = record
    columns = "key"
    cells: list[Cell] = [key if key.isascii() else cell(key)]
    if kind != "step":
        columns += ", kind"
        cells.append(kind)
    if state is not _SUCCEEDED:
        columns += ", state"
        cells.append(state._value_)
    if attempt != 1:
        columns += ", attempt"
        cells.append(attempt)
    if outputs is not None:
        columns += ", outputs"
        cells.append(cell(outputs, spill))
    if started is not None:
        columns += ", started"
        cells.append(started)
    if ended is not None:
        columns += ", ended"
        cells.append(ended)
    if names or note or signal is not _NEXT or target is not None or error is not None or inputs is not None:
        columns += _further_cells(record, spill, cells)
    return columns, cells


def _further_cells(record: StepRecord, spill: Spill, cells: list[Cell]) -> str:
    """Append the values of the rarely used columns of a record to ``cells``; return the names of these columns.

    The names are one text that begins with a comma; columns without a value are left out.
    """
    names, signal = record.input_names, record.signal
    further: dict[str, Cell] = {
        ", input_names": _names_cell(names) if names else None,
        ", signal": None if signal is _NEXT else signal.name,
        ", target": cell(record.target),
        ", error": _error_cell(record.error, spill),
        ", note": cell(record.note) if record.note else None,
        ", inputs": cell(record.inputs, spill),
    }
    present = {column: value for column, value in further.items() if value is not None}
    cells += present.values()
    return "".join(present)


@lru_cache(maxsize=1024)
def _names_cell(names: tuple[str, ...]) -> str:
    """Return the input names of a step as JSON text; cached, because all executions of a step have the same names."""
    return json.dumps(names)


@lru_cache(maxsize=256)
def insert_statement(columns: str) -> str:
    """Return the INSERT statement for the table ``steps`` that sets these columns, then ``run`` and ``id``."""
    columns += ", run, id"
    return f"INSERT INTO steps ({columns}) VALUES ({', '.join('?' * len(columns.split(', ')))})"


def step_from_row(row: Sequence[Any], fetch: Fetch) -> StepRecord:
    """Return the StepRecord of a row with the columns STEP_COLUMNS; ``fetch`` reads long texts from their files."""
    key, kind, state, attempt, names, outputs, signal, target, error, note, started, ended, inputs = (
        text_from_cell(one, fetch) if type(one) is bytes else one for one in row
    )
    return StepRecord(
        key,
        kind,
        _STATES[state],
        attempt,
        _names(names) if names else (),
        outputs,
        Signal[signal],
        target,
        None if error is None else _error_of(error, fetch),
        note,
        started,
        ended,
        inputs,
    )


@lru_cache(maxsize=1024)
def _names(text: str) -> tuple[str, ...]:
    """Return the input names of a step from their JSON text; cached, because all its executions have the same."""
    return tuple(json.loads(text))


def run_row(run: RunRecord, spill: Spill) -> tuple[Cell, ...]:
    """Return the values of a run's record for the columns SUMMARY_COLUMNS and LONG_COLUMNS of the table ``runs``."""
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
    """Return the columns of the table ``runs`` that ``changes`` set, with their new values.

    For a new text of the flow that is only its hash: the text is in the table ``texts``.
    """
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


def summary_from_row(row: Sequence[Any], fetch: Fetch) -> RunSummary:
    """Return the RunSummary of a row with the columns SUMMARY_COLUMNS; ``fetch`` reads long texts from their files."""
    return RunSummary(**_summary(row, fetch))


def run_from_row(row: Sequence[Any], fetch: Fetch) -> RunRecord:
    """Return the RunRecord of a row with the columns SUMMARY_COLUMNS, LONG_COLUMNS and ``text``, in this order.

    ``fetch`` reads long texts from their files.
    """
    flags, inputs, outputs, waits_for, text = (text_from_cell(one, fetch) for one in row[-5:])
    return RunRecord(
        **_summary(row[:-5], fetch),
        flags=frozenset(json.loads(flags)),
        inputs=inputs,
        outputs=outputs,
        waits_for=waits_for,
        text=text,
    )


def _summary(row: Sequence[Any], fetch: Fetch) -> dict[str, Any]:
    """Return the fields of a RunSummary, by name, from a row with the columns SUMMARY_COLUMNS."""
    values = dict(zip(SUMMARY_COLUMNS.split(", "), (text_from_cell(one, fetch) for one in row), strict=True))
    host, pid, token = (values.pop(name) for name in ("owner_host", "owner_pid", "owner_token"))
    values["owner"] = None if host is None else Owner(host, pid, token)
    values["state"] = RunState(values["state"])
    values["error"] = _error_of(values["error"], fetch)
    return values


def _error_cell(error: ErrorRecord | None, spill: Spill) -> Cell:
    """Return what the database stores for the record of an exception: its JSON text; None if there is none."""
    return None if error is None else cell(json.dumps(error.as_json()), spill)


def _error_of(stored: Any, fetch: Fetch) -> ErrorRecord | None:
    """Return the record of an exception from what the database stores; None if there is none."""
    return None if stored is None else ErrorRecord.from_json(json.loads(text_from_cell(stored, fetch)))
