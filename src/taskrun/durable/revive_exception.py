"""Conversion of the record of a failure to an exception that handlers treat like the original one.

    revive(record_error(KeyError("id")), Codecs(), allow_no_import)    # a KeyError whose text is 'id', in quotes

Rules: the class is searched in loaded modules, in taskrun, and in modules that may be imported. The exception is used
only if its text, and the attributes that handlers read, equal those of the record. If they do not, or if there is no
such subclass of Exception, a RecordedError with the text and attributes of the record replaces it. No function here
raises.
"""

from __future__ import annotations

import builtins
import importlib
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from taskrun.codec.classes import ImportFilter
from taskrun.codec.codec import Codecs
from taskrun.codec.exception_state import HANDLER_ATTRIBUTES, rebuild_exception
from taskrun.core.journal import ErrorRecord
from taskrun.core.traceback_notes import StepNote
from taskrun.errors import RecordedError
from taskrun.source import Location

_NOTE = re.compile(r"in step (.+?) \((.+):(\d+):(\d+)\)", re.DOTALL)


def revive(record: ErrorRecord, codecs: Codecs, allow: ImportFilter) -> Exception:
    """Return an exception with the text and attributes of the record, of the recorded class if possible.

    ``allow`` returns whether a module may be imported to find the class. The notes, the cause or context, and the
    members of a group are restored; the traceback is not, its text is in the record.
    """
    members = tuple(revive(member, codecs, allow) for member in record.group)
    parts = _parts(record, codecs)
    cls = _class_of(record.kind, allow)
    error = _instance_of(cls, record, parts, members) if cls is not None else None
    if error is None:
        error = _replacement(record, parts, members)
    for note in record.notes:
        BaseException.add_note(error, _note(note))
    if record.cause is not None:
        cause = revive(record.cause, codecs, allow)
        if record.implicit:
            error.__context__ = cause
        else:
            error.__cause__ = cause
    return error


def _parts(record: ErrorRecord, codecs: Codecs) -> Mapping[str, Any]:
    """Return the arguments and attributes of a recorded exception; only its text if the rest cannot be read."""
    try:
        parts = codecs.loads(record.state) if record.state else {}
        args, attributes, shown = (
            parts.get("args", [record.message]),
            parts.get("attributes", {}),
            parts.get("shown", {}),
        )
        return {"args": list(args), "attributes": dict(attributes), "shown": dict(shown)}
    except Exception:  # noqa: BLE001 - classes and codecs of users may raise anything; the text is always available
        return {"args": [record.message], "attributes": {}, "shown": {}}


def _instance_of(
    cls: type[Exception], record: ErrorRecord, parts: Mapping[str, Any], members: tuple[Exception, ...]
) -> Exception | None:
    """Return a new exception of a class, None if its text or attributes would differ from the record."""
    args = parts["args"]
    if issubclass(cls, BaseExceptionGroup):
        args = [*args[:1], members]
    try:
        error = rebuild_exception(cls, args, parts["attributes"])
        same = str(error) == record.message
        same = same and all(getattr(error, name) == value for name, value in parts["shown"].items())
    except Exception:  # noqa: BLE001 - the constructor of a user's class may raise anything
        return None
    return error if same else None


def _replacement(record: ErrorRecord, parts: Mapping[str, Any], members: tuple[Exception, ...]) -> RecordedError:
    """Return a RecordedError in place of an exception that cannot be constructed."""
    failure = RecordedError(record.message, record.kind, members, record)
    attributes = {**parts["attributes"], **parts["shown"]}
    for name in HANDLER_ATTRIBUTES:
        if attributes.get(name) is not None:
            setattr(failure, name, attributes[name])
    return failure


def _class_of(kind: str, allow: ImportFilter) -> type[Exception] | None:
    """Return the exception class with a full name, None if there is none or its module may not be imported."""
    for module, path in _splits(kind):
        if module not in sys.modules and (module.partition(".")[0] == "taskrun" or allow(module)):
            try:
                importlib.import_module(module)
            except Exception:  # noqa: BLE001, S112 - there is no such module, or its import fails
                continue
        value: Any = sys.modules.get(module)
        for part in path.split("."):
            # not getattr(value, part), which may call the __getattr__ of a module and import other modules
            value = getattr(value, "__dict__", {}).get(part)
        if isinstance(value, type) and issubclass(value, Exception):
            return value
    return None


def _splits(kind: str) -> Iterator[tuple[str, str]]:
    """Yield all splits of a full name into a module and a class in it, the longest module first."""
    end = kind.rfind(".")
    while end > 0:
        yield kind[:end], kind[end + 1 :]
        end = kind.rfind(".", 0, end)
    yield builtins.__name__, kind


def _note(text: str) -> str:
    """Return the note with a text: a StepNote if the text names a step and its location, else the text itself."""
    match = _NOTE.fullmatch(text)
    if match is None:
        return text
    path, file, line, column = match.groups()
    note = StepNote(path, Location(file, int(line), int(column)))
    return note if note == text else text
