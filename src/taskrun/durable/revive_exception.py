"""Convert the record of a failure back to an exception, which handlers of the flow treat like the original one.

    revive(record_error(KeyError("id")), Codecs(), allow_no_import)    # a KeyError whose text is 'id', in quotes

Rules: the class of the exception is searched in loaded modules, in taskrun, and in modules that may be imported. An
object of this class is used only if its text, and the attributes that handlers read (such as ``error_code``), equal
those of the record. Otherwise, or if there is no such class, a RecordedError with the recorded text and attributes
takes its place. No function here raises.
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
    """Return an exception with the recorded text and attributes, of the recorded class or else a RecordedError.

    ``allow`` takes the name of a module and returns whether it may be imported to find the class. The notes, the cause
    or context, and the members of a group are restored. The traceback is not: the record has only its text.
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
    """Return the recorded ``args`` and ``attributes`` of an exception, and as ``shown`` those that handlers read.

    If they cannot be read, return only the text of the exception, as its argument.
    """
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
    """Return a new exception of the class ``cls``; None if its text or attributes would differ from the record."""
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
    """Return a RecordedError with the recorded text and attributes, for an exception that cannot be created."""
    failure = RecordedError(record.message, record.kind, members, record)
    attributes = {**parts["attributes"], **parts["shown"]}
    for name in HANDLER_ATTRIBUTES:
        if attributes.get(name) is not None:
            setattr(failure, name, attributes[name])
    return failure


def _class_of(kind: str, allow: ImportFilter) -> type[Exception] | None:
    """Return the exception class with this full name, such as ``shop.errors.NoStock``.

    None if there is no such subclass of Exception, or its module is not loaded and may not be imported.
    """
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
    """Yield all pairs of module and class name that a full name can mean, the longest module first.

    The last pair is a built-in class: its whole full name in the module ``builtins``.
    """
    end = kind.rfind(".")
    while end > 0:
        yield kind[:end], kind[end + 1 :]
        end = kind.rfind(".", 0, end)
    yield builtins.__name__, kind


def _note(text: str) -> str:
    """Return a recorded note as a StepNote if it names a step and its location, otherwise as a plain text."""
    match = _NOTE.fullmatch(text)
    if match is None:
        return text
    path, file, line, column = match.groups()
    note = StepNote(path, Location(file, int(line), int(column)))
    return note if note == text else text
