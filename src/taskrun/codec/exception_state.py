"""What an exception is made of, as text, and how one is put together of it without running its class's ``__init__``.

Rules: an exception is its arguments, its public attributes, and what handlers ask of it (``SHOWN``), which may be
attributes of its class. What cannot be saved is left out, never guessed. Making one calls the constructor of the nearest
class that is written in C and no code of the user's: the arguments of his are not known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import GetSetDescriptorType, MappingProxyType, MemberDescriptorType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taskrun.codec.codec import Codecs

SHOWN = ("error_code", "params", "biz_fatal", "status")
"""What handlers in flows and retries ask of any exception."""

_IN_PYTHON = 1 << 9
"""The flag of types that were made at run time; the others have their constructors in C."""

_MEMBERS: Mapping[type, tuple[str, ...]] = MappingProxyType(
    {
        OSError: ("errno", "strerror", "filename", "filename2"),
        ImportError: ("name", "path"),
        NameError: ("name",),
        AttributeError: ("name",),
        SyntaxError: ("msg", "filename", "lineno", "offset", "text", "end_lineno", "end_offset"),
    }
)
"""What Python's own exceptions hold outside of their ``__dict__`` and may hold without an argument for it."""


def parts_of(error: BaseException, codecs: Codecs) -> str:
    """Return the JSON text of what the exception is made of, ``""`` when nothing of it can be saved."""
    attributes = _attributes(error)
    parts = {"attributes": attributes, "shown": _shown(error, attributes)}
    # the members of a group are exceptions, which are recorded beside it
    args = [error.message] if isinstance(error, BaseExceptionGroup) else list(error.args)
    with suppress(Exception):  # values of the user's may fail in any way; then they are tried one by one
        return codecs.dumps({"args": args, **parts})
    kept: dict[str, Any] = {
        part: {name: value for name, value in values.items() if _can_be_saved(value, codecs)}
        for part, values in parts.items()
    }
    if _can_be_saved(args, codecs):
        kept["args"] = args
    return codecs.dumps(kept) if any(kept.values()) else ""


def rebuilt(cls: type[Exception], args: Sequence[Any], attributes: Mapping[str, Any]) -> Exception:
    """Return an exception of the class that is made of these parts; whatever the class raises is raised."""
    base: Any = cls
    while base.__flags__ & _IN_PYTHON:
        base = base.__base__
    error: Exception = base.__new__(cls, *args)
    base.__init__(error, *args)
    if type(error) is not cls:
        raise TypeError(f"{cls.__qualname__} made a {type(error).__qualname__}")
    for name, value in attributes.items():
        if _is_member(cls, name):
            object.__setattr__(error, name, value)
        else:
            error.__dict__[name] = value
    return error


def _attributes(error: BaseException) -> dict[str, Any]:
    """Return the attributes of this exception itself whose names are public."""
    names = [name for name in vars(error) if not name.startswith("_")]
    for base in type(error).__mro__:
        slots = vars(base).get("__slots__", ())
        names += (slots,) if isinstance(slots, str) else slots
        names += _MEMBERS.get(base, ())
    return _asked(error, [name for name in names if not name.startswith("_")], vars(error))


def _shown(error: BaseException, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what handlers ask and is no attribute of the exception itself: constants and properties of its class."""
    return _asked(error, [name for name in SHOWN if name not in attributes], {})


def _asked(error: BaseException, names: Sequence[str], present: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of those names, without those that are None and not ``present`` all the same."""
    values = {}
    for name in names:
        with suppress(Exception):  # a property, or a __getattr__, of the user's
            value = getattr(error, name)
            if value is not None or name in present:
                values[name] = value
    return values


def _can_be_saved(value: Any, codecs: Codecs) -> bool:
    try:
        codecs.dumps(value)
    except Exception:  # noqa: BLE001  # a value of the user's: it may do anything
        return False
    return True


def _is_member(cls: type, name: str) -> bool:
    """Whether the attribute is in a place of its own rather than in ``__dict__``."""
    found = next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)
    return isinstance(found, MemberDescriptorType | GetSetDescriptorType)
