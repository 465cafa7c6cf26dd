"""Which exceptions scripts may raise and catch, for both evaluators.

Rules: scripts raise and catch subclasses of Exception only. Therefore they cannot catch a cancellation, and cannot end
the process.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_UNCATCHABLE = frozenset({SystemExit, KeyboardInterrupt, GeneratorExit})


def raisable(error: Any) -> Any:
    """Return ``error``, the operand of ``raise`` in a script, or raise TypeError if a script may not raise it.

    A script may raise subclasses of Exception, but not, for example, KeyboardInterrupt.
    """
    kind = error if isinstance(error, type) else type(error)
    if issubclass(kind, BaseException) and not issubclass(kind, Exception):
        raise TypeError(f"a script cannot raise {kind.__name__}, only ordinary exceptions")
    return error


def catchable_types(kinds: Any) -> tuple[type[Exception], ...]:
    """Return the exception types that an ``except`` clause of a script really catches.

    Parameters: ``kinds`` is the value behind ``except``, a type or a tuple of types. BaseException is replaced by
    Exception, so that a script cannot catch a cancellation. SystemExit, KeyboardInterrupt and GeneratorExit are left
    out. Raises TypeError if ``kinds`` is or contains anything but exception types.
    """
    listed: Iterable[Any] = kinds if isinstance(kinds, tuple) else (kinds,)
    for kind in listed:
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise TypeError("catching classes that do not inherit from Exception is not allowed")
    return tuple(Exception if kind is BaseException else kind for kind in listed if kind not in _UNCATCHABLE)
