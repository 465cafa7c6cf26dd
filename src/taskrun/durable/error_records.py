"""Convert exceptions to ErrorRecords, which a store can save."""

from __future__ import annotations

import traceback
from dataclasses import replace

from taskrun.codec.codec import Codecs
from taskrun.codec.exception_state import dump_exception
from taskrun.core.journal import ErrorRecord
from taskrun.errors import RecordedError

_MAX_DEPTH = 100
"""Causes and groups of exceptions that are nested deeper than this number of levels are not recorded."""


def record_error(error: BaseException, codecs: Codecs | None = None) -> ErrorRecord:
    """Return the record of an exception, with its causes and the members of a group.

    ``codecs`` convert the arguments and attributes of the exception (default: the codecs of taskrun); what they cannot
    convert is left out. An exception whose ``__str__`` raises is recorded with a text that says so. Causes and groups
    that are nested deeper than 100 levels are left out.
    """
    return _record(error, Codecs() if codecs is None else codecs, frozenset())


def _record(error: BaseException, codecs: Codecs, seen: frozenset[int]) -> ErrorRecord:
    """Return the record of an exception.

    ``seen`` are the ids of the exceptions that lead to it as causes or groups; it prevents endless cycles.
    """
    notes = tuple(map(str, vars(error).get("__notes__", ())))
    if isinstance(error, RecordedError) and isinstance(error.record, ErrorRecord):
        return replace(error.record, notes=notes)  # it only represents the recorded exception
    seen |= {id(error)}
    cause = error.__context__ if error.__cause__ is None and not error.__suppress_context__ else error.__cause__
    members = error.exceptions if isinstance(error, BaseExceptionGroup) else ()

    def follow(other: BaseException) -> bool:  # exceptions may refer to each other in a cycle
        return id(other) not in seen and len(seen) < _MAX_DEPTH

    try:
        message = str(error)
    except Exception as problem:  # noqa: BLE001 - __str__ of a user's class may raise anything
        message = f"<no text: its __str__ raised {type(problem).__name__}>"
    return ErrorRecord(
        f"{type(error).__module__}.{type(error).__qualname__}",
        message,
        "".join(traceback.format_tb(error.__traceback__)),
        notes,
        _record(cause, codecs, seen) if cause is not None and follow(cause) else None,
        tuple(_record(member, codecs, seen) for member in members if follow(member)),
        dump_exception(error, codecs),
        implicit=error.__cause__ is None and cause is not None,
    )
