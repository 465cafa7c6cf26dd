"""Built-in names that every script can read without importing anything, such as ``len``, ``math`` and ``now``.

Rules: the table ``NAMES`` is an allow list. No name in it can open files, import modules, evaluate code or inspect the
interpreter. Instead of modules it has ScriptModules with selected functions. Of the exception types it has only
subclasses of Exception, so that a script can neither catch nor raise a cancellation. A variable of the flow hides a
built-in name.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NoReturn

from taskrun.errors import near_hint
from taskrun.script.sandbox.bounded_operators import FACTORIALS, capped_range, capped_round, power, product
from taskrun.script.sandbox.bounded_text import bounded_str, checked_decimal, checked_printable
from taskrun.script.sandbox.budget import with_ticked_arguments
from taskrun.script.sandbox.metered_builtins import CONSUMERS

_MAX_INDENT = 16
_LOG = logging.getLogger("taskrun.script")


class ScriptModule:
    """Object that scripts see instead of a Python module, with selected functions and constants of it: ``math.sqrt``.

    It is read-only. ``name`` is the name of the module in messages, ``members`` are the functions and constants by
    name.
    """

    __slots__ = ("_members", "_name")

    def __init__(self, name: str, members: Mapping[str, Any]) -> None:
        self._name = name
        self._members = dict(members)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self._members[name]
        except KeyError:
            hint = near_hint(name, self._members)
        raise AttributeError(f"'{self._name}' has no '{name}' in a script" + (f"; {hint}" if hint else ""))

    def __repr__(self) -> str:
        return f"<{self._name}>"


class LazyScriptModule(ScriptModule):
    """ScriptModule whose members are created by ``make()`` when a script reads the first of them.

    It is used for ``re``, because importing the package behind it is slow.
    """

    __slots__ = ("_make",)

    def __init__(self, name: str, make: Callable[[], Mapping[str, Any]]) -> None:
        super().__init__(name, {})
        self._make = make

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and not self._members:
            self._members.update(self._make())
        return super().__getattr__(name)


def _print(*values: Any, sep: str = " ", end: str = "") -> None:
    """Implement ``print`` of scripts: write the values to the log ``taskrun.script`` at level INFO.

    It does not write to standard output, which the command line uses for the result of the run.
    """
    _LOG.info("%s", sep.join(map(bounded_str, values)) + end)


def _logger(level: int) -> Callable[..., None]:
    """Return the function of scripts that writes to the log at ``level``: ``logDebug``, ``logInfo`` and so on.

    It takes a text and values; each ``{}`` in the text is replaced by the next value.
    """

    def log(text: Any, *values: Any) -> None:
        if _LOG.isEnabledFor(level):
            _LOG.log(level, "%s", format_message(str(text), values))

    return log


def format_message(text: str, values: tuple[Any, ...]) -> str:
    """Return ``text`` with each ``{}`` replaced by the next value; values without a ``{}`` are appended behind a blank.

    >>> format_message("{} of {}", (1, 2))
    '1 of 2'
    """
    pieces = text.split("{}")
    parts = [pieces[0]]
    for index, piece in enumerate(pieces[1:]):
        parts += [bounded_str(values[index]) if index < len(values) else "{}", piece]
    return " ".join(["".join(parts), *map(bounded_str, values[len(pieces) - 1 :])])


def _repr(value: Any) -> str:
    """Implement ``repr`` of scripts: return ``repr(value)``, or raise OverflowError if the text would be too long."""
    return repr(checked_printable(value))


def _masked(_value: Any) -> str:
    """Implement ``masked`` of scripts: return ``***``, which a script logs instead of a secret."""
    return "***"


def _regex_members() -> Mapping[str, Any]:
    """Return the functions and flags of the module ``re`` of scripts, by name.

    They are not created at import time, because they need the package ``regex``, whose import is slow.
    """
    from taskrun.script.sandbox.safe_regex import regex_members  # imports regex when a pattern is used

    return regex_members()


def _now() -> dt.datetime:
    """Implement ``now`` of scripts: return the local date and time, without a time zone."""
    return dt.datetime.now()  # noqa: DTZ005 - LocalDateTime is what the language's type names mean


def _today() -> dt.date:
    """Implement ``today`` of scripts: return the local date."""
    return dt.date.today()  # noqa: DTZ011 - as above


def _uuid() -> str:
    """Implement ``uuid`` of scripts: return a new random UUID as text."""
    import uuid

    return str(uuid.uuid4())


def _dumps(value: Any, *, indent: int | str | None = None, sort_keys: bool = False, ensure_ascii: bool = False) -> str:
    """Implement ``json.dumps`` of scripts: return a value as JSON text, or raise OverflowError if it is too long."""
    if isinstance(indent, int) and indent > _MAX_INDENT:
        raise OverflowError(f"JSON is indented by at most {_MAX_INDENT} blanks")
    return json.dumps(checked_printable(value), indent=indent, sort_keys=sort_keys, ensure_ascii=ensure_ascii)


def load_json(text: str | bytes) -> Any:
    """Implement ``json.loads`` of scripts: parse a JSON text and return its value.

    Raises ValueError for invalid JSON, and for NaN and Infinity, which Python accepts although they are not JSON.
    """
    return json.loads(text, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> NoReturn:
    """Raise ValueError; ``json.loads`` calls this for a NaN, Infinity or -Infinity in the text, with its ``name``."""
    raise ValueError(f"'{name}' is not a JSON value")


_MATH = (
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "copysign", "cos", "cosh", "degrees",
    "dist", "e", "exp", "fabs", "floor", "fmod", "frexp", "fsum", "gcd", "hypot", "inf", "isclose", "isfinite", "isinf",
    "isnan", "isqrt", "lcm", "ldexp", "log", "log10", "log1p", "log2", "modf", "nan", "pi", "pow", "radians", "sin",
    "sinh", "sqrt", "tan", "tanh", "tau", "trunc",
)  # fmt: skip


def _with_checked_decimal(function: Callable[[Any], int]) -> Callable[[Any], int]:
    """Return a variant of ``function`` (such as ``math.ceil``) that raises OverflowError for a huge Decimal.

    The reason: the integer for ``Decimal("1e999999")`` would use too much memory and time.
    """
    return lambda number, /: function(checked_decimal(number))


_TICKED = MappingProxyType({name: with_ticked_arguments(getattr(math, name)) for name in ("dist", "fsum")})
_TO_INTEGER = MappingProxyType(
    {name: _with_checked_decimal(getattr(math, name)) for name in ("ceil", "floor", "trunc")}
)
MATH = ScriptModule(
    "math", {name: getattr(math, name) for name in _MATH} | _TICKED | _TO_INTEGER | {"prod": product} | dict(FACTORIALS)
)
JSON = ScriptModule("json", {"dumps": _dumps, "loads": load_json})

_TYPES = (bool, dict, float, frozenset, int, list, set, str, tuple, Decimal)
_DATES = (dt.date, dt.datetime, dt.time, dt.timedelta)
_FUNCTIONS = (abs, chr, divmod, isinstance, len, ord)
_EXCEPTIONS = (
    ArithmeticError, AssertionError, AttributeError, ConnectionError, Exception, FileExistsError, FileNotFoundError,
    IndexError, KeyError, LookupError, NameError, NotImplementedError, OSError, OverflowError, PermissionError,
    RecursionError, RuntimeError, TimeoutError, TypeError, UnicodeError, ValueError, ZeroDivisionError,
)  # fmt: skip

NAMES: Mapping[str, Any] = MappingProxyType(
    {item.__name__: item for item in (*_TYPES, *_DATES, *_FUNCTIONS, *_EXCEPTIONS)}
    | dict(CONSUMERS)
    | {"repr": _repr, "masked": _masked, "re": LazyScriptModule("re", _regex_members)}
    | {"range": capped_range, "round": capped_round, "pow": power, "print": _print}
    | {"math": MATH, "json": JSON, "now": _now, "today": _today, "uuid": _uuid}
    | {"logDebug": _logger(logging.DEBUG), "logInfo": _logger(logging.INFO)}
    | {"logWarn": _logger(logging.WARNING), "logError": _logger(logging.ERROR)}
)
