"""Convert the arguments and attributes of exceptions to JSON text, and create the exceptions again from them.

Rules: what is stored of an exception are its arguments, its public attributes, and the HANDLER_ATTRIBUTES even if its
class defines them. Values that cannot be converted are left out. To create the exception again, the ``__init__`` of its
nearest base class that is written in C is called. Python constructors do not run: their arguments are unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import GetSetDescriptorType, MappingProxyType, MemberDescriptorType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taskrun.codec.codec import Codecs

HANDLER_ATTRIBUTES = ("error_code", "params", "biz_fatal", "status")
"""The attributes of any exception that handlers and ``<retry>`` of a flow read."""

_HEAP_TYPE = 1 << 9
"""Flag of a class that was not written in C but created at run time (``Py_TPFLAGS_HEAPTYPE``)."""

_C_ATTRIBUTES: Mapping[type, tuple[str, ...]] = MappingProxyType(
    {
        OSError: ("errno", "strerror", "filename", "filename2"),
        ImportError: ("name", "path"),
        NameError: ("name",),
        AttributeError: ("name",),
        SyntaxError: ("msg", "filename", "lineno", "offset", "text", "end_lineno", "end_offset"),
    }
)
"""Attributes of built-in exceptions that are not in ``__dict__``; they are set after the exception is created."""


def dump_exception(error: BaseException, codecs: Codecs) -> str:
    """Return the arguments and attributes of an exception as JSON text; ``""`` if none of them can be converted.

    The text has the members ``args``, ``attributes`` (of the object) and ``shown`` (HANDLER_ATTRIBUTES of its class).
    """
    attributes = _attributes(error)
    parts = {"attributes": attributes, "shown": _handler_attributes(error, attributes)}
    # the exceptions of a group are recorded separately
    args = [error.message] if isinstance(error, BaseExceptionGroup) else list(error.args)
    with suppress(Exception):  # values of users may raise anything; then each value is tried on its own
        return codecs.dumps({"args": args, **parts})
    savable: dict[str, Any] = {
        part: {name: value for name, value in values.items() if _can_save(value, codecs)}
        for part, values in parts.items()
    }
    if _can_save(args, codecs):
        savable["args"] = args
    return codecs.dumps(savable) if any(savable.values()) else ""


def rebuild_exception(cls: type[Exception], args: Sequence[Any], attributes: Mapping[str, Any]) -> Exception:
    """Create an exception of the class ``cls`` from its arguments and attributes, without running Python constructors.

    Raises what the constructor of its base class in C raises, and TypeError if that creates an object of another class.
    """
    base: Any = cls
    while base.__flags__ & _HEAP_TYPE:
        base = base.__base__
    error: Exception = base.__new__(cls, *args)
    base.__init__(error, *args)
    if type(error) is not cls:
        raise TypeError(f"{cls.__qualname__} made a {type(error).__qualname__}")
    for name, value in attributes.items():
        if _has_descriptor(cls, name):
            object.__setattr__(error, name, value)
        else:
            error.__dict__[name] = value
    return error


def _attributes(error: BaseException) -> dict[str, Any]:
    """Return the public attributes of an exception by name, including those in slots and members of C classes."""
    names = [name for name in vars(error) if not name.startswith("_")]
    for base in type(error).__mro__:
        slots = vars(base).get("__slots__", ())
        names += (slots,) if isinstance(slots, str) else slots
        names += _C_ATTRIBUTES.get(base, ())
    return _read_attributes(error, [name for name in names if not name.startswith("_")], vars(error))


def _handler_attributes(error: BaseException, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return by name the HANDLER_ATTRIBUTES that are defined by the class of an exception, as constants or properties.

    ``attributes`` are those of the object, which are left out.
    """
    return _read_attributes(error, [name for name in HANDLER_ATTRIBUTES if name not in attributes], {})


def _read_attributes(error: BaseException, names: Sequence[str], present: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes with these names; one that raises an exception is left out.

    One that is None is left out too, unless ``present`` contains its name: then it was set to None.
    """
    values = {}
    for name in names:
        with suppress(Exception):  # a property or __getattr__ of users may raise anything
            value = getattr(error, name)
            if value is not None or name in present:
                values[name] = value
    return values


def _can_save(value: Any, codecs: Codecs) -> bool:
    """Return whether a value can be converted to JSON text; False also if the conversion raises any exception."""
    try:
        codecs.dumps(value)
    except Exception:  # noqa: BLE001  # a value of users may raise anything
        return False
    return True


def _has_descriptor(cls: type, name: str) -> bool:
    """Return whether an attribute is stored in a slot or a member of a C class, instead of ``__dict__``."""
    found = next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)
    return isinstance(found, MemberDescriptorType | GetSetDescriptorType)
