"""What scripts never get hold of, by name and by type.

Rules: names are refused before a script runs, types while it runs. A refused type has no attributes for a script; what
lets a program look into itself (frames, code, modules) and what must be awaited is not handed out by a call either.
Text has no ``format``, because its little language reads attributes without asking here. A property is read once.
"""

from __future__ import annotations

import datetime as dt
import string
import types
from collections.abc import Callable
from decimal import Decimal
from functools import partial, partialmethod
from typing import Any

from taskrun.script.sandbox.bounded_operators import SIZED_METHODS, sized_method
from taskrun.script.sandbox.budget import ticked

REFUSED_PREFIXES = ("_", "cr_", "ag_", "gi_", "tb_", "f_", "co_", "func_", "im_")
REFUSED_ATTRIBUTES = frozenset({"mro", "with_traceback", "get_coro", "get_stack", "get_frame", "vformat", "get_field"})
_FORMATS = frozenset({"format", "format_map"})
WATCHED = SIZED_METHODS | _FORMATS | {"obj"}


class Closed:
    """A base for values that scripts can call or pass on, but whose attributes they cannot read."""

    __slots__ = ()


class Record:
    """A base for objects of the engine that are nothing but values: templates may read them."""

    __slots__ = ()


_CLOSED = (
    Closed, types.GeneratorType, types.AsyncGeneratorType, types.FrameType, types.TracebackType, types.CodeType,
    types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.MethodWrapperType,
    types.WrapperDescriptorType, types.MethodDescriptorType, types.ClassMethodDescriptorType,
    types.GetSetDescriptorType, types.MemberDescriptorType, types.CellType, staticmethod, classmethod, property,
    partial, partialmethod,
)  # fmt: skip
_NOT_HANDED_OUT = (types.FrameType, types.TracebackType, types.CodeType, types.ModuleType)
PLAIN: frozenset[type] = frozenset(
    {
        type(None), bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, range, Decimal,
        dt.date, dt.datetime, dt.time, dt.timedelta,
    }
)  # fmt: skip


def refused_attribute(name: str) -> str:
    """Return why no value has an attribute of this name for a script, or ``""``.

    >>> refused_attribute("upper")
    ''
    """
    if name.startswith("_"):
        return "attributes in a script do not begin with '_'"
    if name.startswith(REFUSED_PREFIXES) or name in REFUSED_ATTRIBUTES:
        return "it leads to the inside of Python"
    return ""


def guarded_getattr(value: Any, name: str) -> Any:
    """Return ``value.name``.

    Raises AttributeError when a script may not have it, and TypeError when the value has to be awaited first.
    """
    if name.startswith(REFUSED_PREFIXES) or name in REFUSED_ATTRIBUTES:
        raise AttributeError(f"the attribute '{name}' is refused: {refused_attribute(name)}")
    kind = type(value)
    if kind not in PLAIN:
        if hasattr(kind, "__await__"):
            raise TypeError(f"{_named(value)} must be awaited first; call it from an <invoke> step")
        if isinstance(value, _CLOSED):
            raise AttributeError(f"a script cannot read attributes of {_named(value)}, such as '{name}'")
    if name in WATCHED:
        return _watched(value, name)
    return getattr(value, name)


def handed_out(value: Any, giver: Callable[..., Any] | str) -> Any:
    """Return ``value``, the result of a call of ``giver`` (or of what has that name), or raise TypeError when a script may not have it.

    A coroutine is closed; a generator is handed on as a plain iterator.
    """
    if isinstance(value, types.CoroutineType):
        value.close()
    if hasattr(type(value), "__await__") or isinstance(value, types.AsyncGeneratorType):
        name = giver if isinstance(giver, str) else getattr(giver, "__name__", None) or type(giver).__name__
        raise TypeError(f"'{name}' is an async function; write 'await' before the call")
    if isinstance(value, _NOT_HANDED_OUT):
        raise TypeError(f"a script does not get {_named(value)} from a call")
    return map(_same, value) if isinstance(value, types.GeneratorType) else value


def _watched(value: Any, name: str) -> Any:
    is_type = isinstance(value, type)
    if name in _FORMATS:
        if isinstance(value, (str, string.Formatter)) or (is_type and issubclass(value, (str, string.Formatter))):
            raise AttributeError(f"the attribute '{name}' of text is refused; use f'…{{value}}…'")
    elif name == "obj":
        if isinstance(value, BaseException):
            raise AttributeError("the attribute 'obj' of an exception is refused")
    elif type(value) in PLAIN or isinstance(value, (str, bytes, bytearray, list, int)):
        return sized_method(value, name)
    elif is_type and name == "fromkeys":
        return lambda keys, default=None, /: value.fromkeys(ticked(keys), default)
    elif is_type and issubclass(value, (str, bytes, bytearray, list, int, set, frozenset, dict)):
        raise AttributeError(f"call '{name}' on a value, not on its type")
    return getattr(value, name)


def _named(value: Any) -> str:
    kind = type(value).__name__
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _same(value: Any) -> Any:
    return value
