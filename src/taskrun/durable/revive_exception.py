"""From the record of a failure to an exception that handlers cannot tell from the one that was recorded.

    revive(record_error(KeyError("id")), Codecs(), allow_no_import)    # a KeyError whose text is 'id', in quotes

Rules: the class is looked up in modules that are loaded, in taskrun and in modules that may be imported. The text is that
of the record: an exception whose text differs, or that would answer handlers otherwise, is not used. Then, and when the
class is not there or is no ``Exception``, a RecordedError says the same. Nothing here raises.
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
    """Return an exception that says what the recorded one said, of its class when that can be had.

    ``allow`` tells which modules may be imported to find the class. Notes, the cause or context, and the members of a
    group are there again; the traceback is not, its text is in the record.
    """
    members = tuple(revive(member, codecs, allow) for member in record.group)
    parts = _parts(record, codecs)
    cls = _class_of(record.kind, allow)
    error = _of_class(cls, record, parts, members) if cls is not None else None
    if error is None:
        error = _failure(record, parts, members)
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
    """Return what the exception was made of; only the text when the rest cannot be read."""
    try:
        parts = codecs.loads(record.state) if record.state else {}
        args, attributes, shown = (
            parts.get("args", [record.message]),
            parts.get("attributes", {}),
            parts.get("shown", {}),
        )
        return {"args": list(args), "attributes": dict(attributes), "shown": dict(shown)}
    except Exception:  # noqa: BLE001  # classes and codecs of the user's; the text is there in any case
        return {"args": [record.message], "attributes": {}, "shown": {}}


def _of_class(
    cls: type[Exception], record: ErrorRecord, parts: Mapping[str, Any], members: tuple[Exception, ...]
) -> Exception | None:
    """Return an exception of the class, None when it would not be what was recorded."""
    args = parts["args"]
    if issubclass(cls, BaseExceptionGroup):
        args = [*args[:1], members]
    try:
        error = rebuild_exception(cls, args, parts["attributes"])
        same = str(error) == record.message
        same = same and all(getattr(error, name) == value for name, value in parts["shown"].items())
    except Exception:  # noqa: BLE001  # the class is the user's, and was not asked: it may object in any way
        return None
    return error if same else None


def _failure(record: ErrorRecord, parts: Mapping[str, Any], members: tuple[Exception, ...]) -> RecordedError:
    """Return what stands for an exception that cannot be had."""
    failure = RecordedError(record.message, record.kind, members, record)
    found = {**parts["attributes"], **parts["shown"]}
    for name in HANDLER_ATTRIBUTES:
        if found.get(name) is not None:
            setattr(failure, name, found[name])
    return failure


def _class_of(kind: str, allow: ImportFilter) -> type[Exception] | None:
    """Return the exception class of that name, None when there is none that may be had."""
    for module, path in _readings(kind):
        if module not in sys.modules and (module.partition(".")[0] == "taskrun" or allow(module)):
            try:
                importlib.import_module(module)
            except Exception:  # noqa: BLE001, S112  # it is gone or broken, or the name of a class: then not this one
                continue
        found: Any = sys.modules.get(module)
        for part in path.split("."):
            found = getattr(found, "__dict__", {}).get(part)  # getattr(module, part) might import things
        if isinstance(found, type) and issubclass(found, Exception):
            return found
    return None


def _readings(kind: str) -> Iterator[tuple[str, str]]:
    """Yield the ways to read a name as that of a module and a class in it, the longest module first."""
    end = kind.rfind(".")
    while end > 0:
        yield kind[:end], kind[end + 1 :]
        end = kind.rfind(".", 0, end)
    yield builtins.__name__, kind


def _note(text: str) -> str:
    """Return the note with that text; one that names a step is again one of which the step can be asked."""
    found = _NOTE.fullmatch(text)
    if found is None:
        return text
    path, file, line, column = found.groups()
    note = StepNote(path, Location(file, int(line), int(column)))
    return note if note == text else text
