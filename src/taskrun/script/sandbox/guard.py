"""Run-time guards: the attributes that a script may read, and the results of calls that it may receive.

Rules: attribute names are refused before a script runs, and types of values while it runs. A script cannot read
attributes of a refused type, such as a function. A call cannot return frames, code objects or modules, through which a
script could inspect the interpreter, and no awaitables. ``format`` of a text is refused, because format strings read
attributes without the guard. An attribute is read exactly once, because reading a property may have effects.
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
GUARDED_METHODS = SIZED_METHODS | _FORMATS | {"obj"}


class Opaque:
    """Base class for values that scripts can call or pass on, but whose attributes they cannot read.

    A class such as a function of a script derives from it; the guard refuses the attributes of its instances.
    """

    __slots__ = ()


class TemplateReadable:
    """Marker base class for classes of the engine whose objects text templates may read, such as StepResult.

    A text template cannot access other objects of the engine.
    """

    __slots__ = ()


_WITHOUT_ATTRIBUTES = (
    Opaque, types.GeneratorType, types.AsyncGeneratorType, types.FrameType, types.TracebackType, types.CodeType,
    types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.MethodWrapperType,
    types.WrapperDescriptorType, types.MethodDescriptorType, types.ClassMethodDescriptorType,
    types.GetSetDescriptorType, types.MemberDescriptorType, types.CellType, staticmethod, classmethod, property,
    partial, partialmethod,
)  # fmt: skip
_REFUSED_RESULTS = (types.FrameType, types.TracebackType, types.CodeType, types.ModuleType)
PLAIN: frozenset[type] = frozenset(
    {
        type(None), bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, range, Decimal,
        dt.date, dt.datetime, dt.time, dt.timedelta,
    }
)  # fmt: skip


def refused_attribute(name: str) -> str:
    """Return the reason why scripts cannot read attributes of this name, or ``""`` if they can.

    >>> refused_attribute("upper")
    ''
    """
    if name.startswith("_"):
        return "attributes in a script do not begin with '_'"
    if name.startswith(REFUSED_PREFIXES) or name in REFUSED_ATTRIBUTES:
        return "it gives access to internals of Python"
    return ""


def guarded_getattr(value: Any, name: str) -> Any:
    """Return the attribute ``name`` of ``value``; both evaluators execute expressions ``value.name`` by this function.

    Raises AttributeError if a script may not read the attribute, and TypeError if ``value`` is a coroutine or another
    awaitable, which must be awaited first. Some methods are replaced by variants that limit their results.
    """
    if name.startswith(REFUSED_PREFIXES) or name in REFUSED_ATTRIBUTES:
        raise AttributeError(f"the attribute '{name}' is refused: {refused_attribute(name)}")
    kind = type(value)
    if kind not in PLAIN:
        if hasattr(kind, "__await__"):
            raise TypeError(f"{_described(value)} must be awaited first; call it from an <invoke> step")
        if isinstance(value, _WITHOUT_ATTRIBUTES):
            raise AttributeError(f"a script cannot read attributes of {_described(value)}, such as '{name}'")
    if name in GUARDED_METHODS:
        return _guarded_method(value, name)
    return getattr(value, name)


def guarded_result(value: Any, function: Callable[..., Any] | str) -> Any:
    """Return ``value``, the result of a call by a script, or raise TypeError if a script may not receive it.

    ``function`` is the called function, or its name, for the message. A coroutine that was not awaited is closed. A
    generator is returned as a plain iterator, so that a script cannot reach its frame.
    """
    if isinstance(value, types.CoroutineType):
        value.close()
    if hasattr(type(value), "__await__") or isinstance(value, types.AsyncGeneratorType):
        name = function if isinstance(function, str) else getattr(function, "__name__", None) or type(function).__name__
        raise TypeError(f"'{name}' is an async function; write 'await' before the call")
    if isinstance(value, _REFUSED_RESULTS):
        raise TypeError(f"a script does not get {_described(value)} from a call")
    return map(_identity, value) if isinstance(value, types.GeneratorType) else value


def _guarded_method(value: Any, name: str) -> Any:
    """Return the method ``name`` of ``value`` in a variant that limits its result or charges the budget.

    ``name`` is one of ``GUARDED_METHODS``. Raises AttributeError for ``format`` of a text, ``obj`` of an exception, and
    methods read from a built-in type, such as ``str.join``.
    """
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


def _described(value: Any) -> str:
    """Return the name of the type of a value with an article for messages, such as "a list"."""
    kind = type(value).__name__
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _identity(value: Any) -> Any:
    """Return ``value`` unchanged: ``map`` with this function wraps a generator in an iterator without a frame."""
    return value
