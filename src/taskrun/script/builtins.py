"""The names that every script has.

Rules: the table starts empty and lists what a script may use; nothing in it opens, imports, evaluates or looks into
Python. Modules are never in it, only namespaces that list functions. Of exceptions only ordinary ones are here, so that
no script catches or raises a cancellation. A variable of the flow hides a name of the table.
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
from taskrun.script.sandbox.bounded_text import reasonable, showable, shown
from taskrun.script.sandbox.budget import ticked
from taskrun.script.sandbox.metered_builtins import CONSUMERS

_MOST_INDENT = 16
_LOG = logging.getLogger("taskrun.script")


class Namespace:
    """A frozen group of functions and constants, which stands for a module: ``math.sqrt``."""

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


class LazyNamespace(Namespace):
    """A namespace whose members are made when the first of them is read."""

    __slots__ = ("_make",)

    def __init__(self, name: str, make: Callable[[], Mapping[str, Any]]) -> None:
        super().__init__(name, {})
        self._make = make

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and not self._members:
            self._members.update(self._make())
        return super().__getattr__(name)


def _print(*values: Any, sep: str = " ", end: str = "") -> None:
    """Write the values to the log ``taskrun.script`` at level INFO; standard output belongs to the result."""
    _LOG.info("%s", sep.join(map(shown, values)) + end)


def _logger(level: int) -> Callable[..., None]:
    def log(text: Any, *values: Any) -> None:
        if _LOG.isEnabledFor(level):
            _LOG.log(level, "%s", filled(str(text), values))

    return log


def filled(text: str, values: tuple[Any, ...]) -> str:
    """Return ``text`` with each ``{}`` replaced by the next value; left-over values are added at the end.

    >>> filled("{} of {}", (1, 2))
    '1 of 2'
    """
    pieces = text.split("{}")
    parts = [pieces[0]]
    for index, piece in enumerate(pieces[1:]):
        parts += [shown(values[index]) if index < len(values) else "{}", piece]
    return " ".join(["".join(parts), *map(shown, values[len(pieces) - 1 :])])


def _repr(value: Any) -> str:
    """Return how Python writes a value."""
    return repr(showable(value))


def _masked(_value: Any) -> str:
    """Return what is shown instead of a secret: ``***``."""
    return "***"


def _patterns() -> Mapping[str, Any]:
    from taskrun.script.sandbox.safe_regex import members  # imports regex when a pattern is used

    return members()


def _now() -> dt.datetime:
    """Return the local date and time, without a time zone."""
    return dt.datetime.now()  # noqa: DTZ005 - LocalDateTime is what the language's type names mean


def _today() -> dt.date:
    """Return the local date."""
    return dt.date.today()  # noqa: DTZ011 - as above


def _uuid() -> str:
    """Return a new random UUID as text."""
    import uuid

    return str(uuid.uuid4())


def _dumps(value: Any, *, indent: int | str | None = None, sort_keys: bool = False, ensure_ascii: bool = False) -> str:
    """Return a value as JSON text."""
    if isinstance(indent, int) and indent > _MOST_INDENT:
        raise OverflowError(f"JSON is indented by at most {_MOST_INDENT} blanks")
    return json.dumps(showable(value), indent=indent, sort_keys=sort_keys, ensure_ascii=ensure_ascii)


def _loads(text: str | bytes) -> Any:
    """Return the value of a JSON text; NaN and Infinity are not JSON."""
    return json.loads(text, parse_constant=_no_constant)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"'{name}' is not JSON")


_MATH = (
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "copysign", "cos", "cosh", "degrees",
    "dist", "e", "exp", "fabs", "floor", "fmod", "frexp", "fsum", "gcd", "hypot", "inf", "isclose", "isfinite", "isinf",
    "isnan", "isqrt", "lcm", "ldexp", "log", "log10", "log1p", "log2", "modf", "nan", "pi", "pow", "radians", "sin",
    "sinh", "sqrt", "tan", "tanh", "tau", "trunc",
)  # fmt: skip


def _whole(function: Callable[[Any], int]) -> Callable[[Any], int]:
    return lambda number, /: function(reasonable(number))


def _fed(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *items: function(*map(ticked, items))


_FED = MappingProxyType({name: _fed(getattr(math, name)) for name in ("dist", "fsum")})
_WHOLE = MappingProxyType({name: _whole(getattr(math, name)) for name in ("ceil", "floor", "trunc")})
MATH = Namespace(
    "math", {name: getattr(math, name) for name in _MATH} | _FED | _WHOLE | {"prod": product} | dict(FACTORIALS)
)
JSON = Namespace("json", {"dumps": _dumps, "loads": _loads})

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
    | {"repr": _repr, "masked": _masked, "re": LazyNamespace("re", _patterns)}
    | {"range": capped_range, "round": capped_round, "pow": power, "print": _print}
    | {"math": MATH, "json": JSON, "now": _now, "today": _today, "uuid": _uuid}
    | {"logDebug": _logger(logging.DEBUG), "logInfo": _logger(logging.INFO)}
    | {"logWarn": _logger(logging.WARNING), "logError": _logger(logging.ERROR)}
)
