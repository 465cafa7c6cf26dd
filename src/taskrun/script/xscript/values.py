"""Rules of XScript for values: truth, equality, conversion to text, types and errors.

Rules: null is None. Booleans are not numbers; 1 and 1.0 are equal. False, null, 0, NaN and the empty string count as
false, everything else as true. Null, true and false are lower-case in texts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple, Self

from taskrun.script.sandbox.bounded_text import bounded_str


class MapEntry(NamedTuple):
    """Entry of a map: a tuple of its key and its value.

    The methods ``entries`` and ``entrySet`` return a list of them, and a ``for`` loop over a map yields them.
    """

    key: Any
    value: Any


class NopScriptError(Exception):
    """Error with a code and parameters, thrown by ``throw new NopScriptError("…")`` in an XScript.

    >>> error = NopScriptError("shop.no-stock").param("item", "pen")
    >>> str(error), error.params
    ("shop.no-stock: item='pen'", {'item': 'pen'})
    """

    def __init__(self, code: str = "", cause: object = None) -> None:
        super().__init__(code)
        self.error_code: str = str(code)
        self.params: dict[str, Any] = {}
        if isinstance(cause, BaseException):
            self.__cause__: BaseException | None = cause

    def param(self, name: str, value: Any) -> Self:
        """Set a parameter and return this error, so that calls can be chained."""
        self.params[name] = value
        return self

    def __str__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.params.items())
        return f"{self.error_code}: {shown}" if shown else self.error_code


class ScriptError(Exception):
    """Error with a message, created by ``new Error("…")``, or by ``throw`` with a value that is not an exception."""


NUMBERS = (int, float, Decimal)
TYPES: Mapping[str, tuple[type, ...]] = MappingProxyType(
    {
        "String": (str,),
        "Number": NUMBERS,
        "Integer": (int,),
        "Long": (int,),
        "Double": (float,),
        "Boolean": (bool,),
        "List": (list, tuple),
        "ArrayList": (list,),
        "Array": (list, tuple),
        "Collection": (list, tuple, set, frozenset),
        "Map": (dict,),
        "HashMap": (dict,),
        "LinkedHashMap": (dict,),
        "Object": (object,),
        "Set": (set, frozenset),
        "HashSet": (set,),
        "Date": (dt.date,),
        "LocalDate": (dt.date,),
        "LocalDateTime": (dt.datetime,),
        "Error": (Exception,),
        "Exception": (Exception,),
        "RuntimeException": (Exception,),
        "NopException": (NopScriptError,),
        "NopScriptError": (NopScriptError,),
    }
)


def is_number(value: Any) -> bool:
    """Return whether a value is an int, float or Decimal; a boolean is not a number."""
    return isinstance(value, NUMBERS) and not isinstance(value, bool)


def truth(value: Any) -> bool:
    """Return whether a value counts as true.

    Every value does except null, false, 0, NaN and the empty string. Empty lists and maps thus count as true.
    """
    if value is None or value is False or value == "":
        return False
    return not (is_number(value) and (value == 0 or value != value))  # noqa: PLR0124 - NaN


def equal(a: Any, b: Any) -> bool:
    """Return whether ``a == b`` in XScript: no side is converted to the type of the other, and 1 is not true."""
    if isinstance(a, bool) is not isinstance(b, bool):
        return False
    return bool(a == b)


def text(value: Any) -> str:
    """Return a value as a string, with ``null``, ``true`` and ``false`` as in JavaScript.

    Raises OverflowError if the string would be too long; a value that is a string already is not checked.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else bounded_str(value)


def type_of(value: Any) -> str:
    """Return the type of a value as ``typeof`` names it.

    It is ``"boolean"``, ``"number"``, ``"string"``, ``"function"`` or ``"object"``; null is an object, as in
    JavaScript.
    """
    if isinstance(value, bool):
        return "boolean"
    if is_number(value):
        return "number"
    if isinstance(value, str):
        return "string"
    return "function" if callable(value) else "object"


def kind_name(value: Any) -> str:
    """Return what a value is, for messages, such as ``"a number"``, ``"a text"``, ``"a list"`` or ``"null"``."""
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a text", list: "a list", dict: "a map"}
    if isinstance(value, AbstractSet):
        return "a set"
    return names.get(type(value), f"a {type(value).__name__}")
