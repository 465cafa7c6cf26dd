"""Rules for the exceptions that scripts raise and catch, for both evaluators.

Rules: scripts raise and catch ordinary exceptions only. They cannot catch a cancellation, and cannot end the process.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_UNCATCHABLE = frozenset({SystemExit, KeyboardInterrupt, GeneratorExit})


def raisable(error: Any) -> Any:
    """Return ``error``, the operand of ``raise``; raise TypeError if a script may not raise it.

    A script may raise ordinary exceptions (subclasses of Exception) only, not for example KeyboardInterrupt.
    """
    kind = error if isinstance(error, type) else type(error)
    if issubclass(kind, BaseException) and not issubclass(kind, Exception):
        raise TypeError(f"a script cannot raise {kind.__name__}, only ordinary exceptions")
    return error


def catchable_types(kinds: Any) -> tuple[type[Exception], ...]:
    """Return the exception types that an ``except`` clause catches.

    Parameters: ``kinds`` is the value behind ``except``. BaseException becomes Exception, so that a script cannot catch
    a cancellation. Raises TypeError for a value that is neither an exception type nor a tuple of them.
    """
    listed: Iterable[Any] = kinds if isinstance(kinds, tuple) else (kinds,)
    for kind in listed:
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise TypeError("catching classes that do not inherit from Exception is not allowed")
    return tuple(Exception if kind is BaseException else kind for kind in listed if kind not in _UNCATCHABLE)
