"""Operations that translated XScript calls at run time, because Python's own operations have another meaning.

Rules: attributes of objects and the results of calls pass the guard; operations that grow a value check its size. A
missing item of a list, text or map is null (None). Reading an item or member of null raises TypeError. The module has
more than 300 lines, because each operator and construct of XScript has a function here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from taskrun.errors import near_hint
from taskrun.script.sandbox.bounded_operators import checked_sequence
from taskrun.script.sandbox.bounded_operators import multiply as sized_multiply
from taskrun.script.sandbox.budget import ticked
from taskrun.script.sandbox.guard import PLAIN, guarded_getattr, guarded_result
from taskrun.script.sandbox.size_limits import check_size
from taskrun.script.xscript.members import METHODS, PROPERTIES, REFUSED_MEMBERS, kinds_of
from taskrun.script.xscript.values import (
    TYPES,
    MapEntry,
    NopScriptError,
    ScriptError,
    equal,
    is_number,
    kind_name,
    text,
    truth,
    type_of,
)

_NOT_NUMERIC = (bool, str, bytes, list, tuple, dict, set, frozenset, type(None))


def add(a: Any, b: Any) -> Any:
    """Return ``a + b``: the sum of two numbers, or the concatenation as texts if one operand is a string.

    If neither is a string, raises TypeError for a boolean, a collection or null.
    """
    if isinstance(a, str) or isinstance(b, str):
        first, second = text(a), text(b)
        check_size(len(first) + len(second), text=True)
        return first + second
    return checked_sequence(_numeric_operand(a, "+", b) + b)


def subtract(a: Any, b: Any) -> Any:
    """Return ``a - b``: the difference of numbers, or of objects that support it, such as dates."""
    return _numeric_operand(a, "-", b) - b


def multiply(a: Any, b: Any) -> Any:
    """Return ``a * b``, the product of two numbers."""
    return sized_multiply(_numeric_operand(a, "*", b), b)


def divide(a: Any, b: Any) -> Any:
    """Return ``a / b``: an int if two ints divide without remainder, else a float."""
    if isinstance(_numeric_operand(a, "/", b), int) and isinstance(b, int) and b and a % b == 0:
        return a // b
    return a / b


def remainder(a: Any, b: Any) -> Any:
    """Return ``a % b``, the remainder of a division.

    It has the sign of ``a``, as in JavaScript, and not that of ``b``, as in Python.
    """
    if isinstance(_numeric_operand(a, "%", b), int) and isinstance(b, int):
        found = abs(a) % abs(b)
        return -found if a < 0 else found
    return math.fmod(a, b)


def _numeric_operand(a: Any, sign: str, b: Any) -> Any:
    """Return ``a``, after checking that both operands of an arithmetic operator can be calculated with.

    Raises TypeError if ``a`` or ``b`` is a boolean, string, collection or null. ``sign`` is the operator, for the
    message.
    """
    if not isinstance(a, _NOT_NUMERIC) and not isinstance(b, _NOT_NUMERIC):
        return a
    raise TypeError(f"'{sign}' is not possible between {kind_name(a)} and {kind_name(b)}")


def number(value: Any) -> Any:
    """Return the operand of ``+x``, ``-x``, ``x++`` or ``x--``; raise TypeError if it is not a number."""
    if is_number(value):
        return value
    raise TypeError(f"a number is expected here, not {kind_name(value)}")


def template(*parts: Any) -> str:
    """Return the text of a template literal (text in backquotes): its parts joined, with null as an empty string."""
    pieces = ["" if part is None else text(part) for part in parts]
    check_size(sum(map(len, pieces)), text=True)
    return "".join(pieces)


def required(value: Any) -> Any:
    """Return the value of ``value!``, which asserts that it is not null; raise ValueError if it is null."""
    if value is None:
        raise ValueError("the value before '!' is null")
    return value


def member(value: Any, name: str) -> Any:
    """Return ``value.name``.

    This is, in this order: an entry of a map, a property of XScript, a method of XScript bound to the value, or an
    attribute that the guard allows. A map without such an entry gives null. Raises TypeError if ``value`` is null.
    """
    if isinstance(value, dict) and name in value:
        return value[name]
    if value is None:
        raise TypeError(f"cannot read '{name}' of null; write '?.{name}' if it may be null")
    for kind in kinds_of(value):
        if name in PROPERTIES[kind]:
            return PROPERTIES[kind][name](value)
        if name in METHODS[kind]:
            function = METHODS[kind][name]
            return lambda *arguments: function(value, *arguments)
    if isinstance(value, dict):
        return None
    if name in REFUSED_MEMBERS:
        raise AttributeError(f"the member '{name}' is refused")
    return guarded_getattr(value, name)


def call_member(value: Any, name: str, *arguments: Any) -> Any:
    """Call ``value.name(arguments)`` and return the result.

    ``name`` is a function in a map, a method of XScript, or a method that the guard allows. A property may be called
    without arguments too. Raises TypeError if ``value`` is null, AttributeError if there is no such method.
    """
    if isinstance(value, dict) and callable(value.get(name)):
        return _checked_result(value[name](*arguments), name)
    if value is None:
        raise TypeError(f"cannot call '{name}' of null; write '?.{name}(…)' if it may be null")
    for kind in kinds_of(value):
        function = METHODS[kind].get(name)
        if function is not None:
            return function(value, *arguments)
        if not arguments and name in PROPERTIES[kind]:
            return PROPERTIES[kind][name](value)
    if type(value) in PLAIN:
        known = [known for kind in kinds_of(value) for known in (*METHODS[kind], *PROPERTIES[kind])]
        hint = near_hint(name, known)
        raise AttributeError(f"{kind_name(value)} has no '{name}'" + (f"; {hint}" if hint else ""))
    if name in REFUSED_MEMBERS:
        raise AttributeError(f"the member '{name}' is refused")
    return _checked_result(guarded_getattr(value, name)(*arguments), name)


def _checked_result(value: Any, name: str) -> Any:
    """Return the result of a call, or raise TypeError if a script must not receive it, such as a module.

    ``name`` is the name of the called function, for the message.
    """
    return value if value.__class__ in PLAIN else guarded_result(value, name)


def item(value: Any, key: Any) -> Any:
    """Return ``value[key]``; null if a map, list or text has no such item.

    A text as ``key`` reads a member of a list or text: ``items["length"]``. Raises TypeError if ``value`` is null.
    """
    if value is None:
        raise TypeError("cannot read an item of null; write '?.[…]' if it may be null")
    if isinstance(value, Mapping):
        return value.get(key)
    if isinstance(value, (list, tuple, str)):
        if isinstance(key, str):
            return member(value, key)
        return value[key] if isinstance(key, int) and 0 <= key < len(value) else None
    return value[key]


def set_item(value: Any, key: Any, new: Any) -> None:
    """Execute ``value[key] = new`` for a list or map, else raise TypeError.

    A list that is too short is first extended with nulls.
    """
    if isinstance(value, list):
        if isinstance(key, bool) or not isinstance(key, int) or key < 0:
            raise TypeError(f"a list has items 0, 1, 2 …, not {key!r}")
        check_size(key + 1)
        value.extend([None] * (key + 1 - len(value)))
        value[key] = new
    elif isinstance(value, dict):
        value[key] = new
    else:
        what = f"'{key}' of {kind_name(value)} cannot be written"
        raise TypeError(what + "" if value is None else f"{what}; only maps and lists can")


def spread(value: Any) -> Mapping[Any, Any]:
    """Return the map whose entries ``{...value}`` copies; it is empty for null. Raise TypeError for other values."""
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return value
    raise TypeError(f"'...' in a map needs a map, not {kind_name(value)}")


def spread_items(value: Any) -> Any:
    """Return the iterable whose items ``[...value]`` copies; a map gives its entries.

    Raises TypeError if ``value`` is not iterable.
    """
    if isinstance(value, (list, tuple, set, frozenset, str, range)):
        return value
    return iterate(value)


def iterate(value: Any) -> Iterable[Any]:
    """Return the iterable of ``for (… of value)``: the entries of a map, the items of any other value.

    Raises TypeError if the value is null or not iterable.
    """
    if isinstance(value, Mapping):
        return [MapEntry(key, found) for key, found in value.items()]
    if value is None or not hasattr(type(value), "__iter__"):
        raise TypeError(f"{kind_name(value)} is not iterable")
    return ticked(value)  # type: ignore[no-any-return]


def rest_list(values: Iterable[Any]) -> list[Any]:
    """Return the surplus arguments of a function as the list for its parameter ``...rest``."""
    return list(values)


def remaining(value: Any, taken: Any) -> Any:
    """Return the value of ``...rest`` in a pattern: the entries or items that the pattern has not read.

    Parameters: ``value`` is the map or list. ``taken`` are the map keys that the pattern has read, or the index of the
    first item of the list that it has not read.
    """
    if isinstance(value, Mapping):
        return {key: found for key, found in value.items() if key not in taken}
    return list(value[taken:])


def instance_of(value: Any, kind: Any) -> bool:
    """Return ``value instanceof kind``.

    ``kind`` is the name of a built-in type, such as ``"List"``, or an imported class. Raises NameError for an unknown
    name. Returns False if ``kind`` is not a class.
    """
    if isinstance(kind, str):
        if kind not in TYPES:
            raise NameError(f"unknown type '{kind}'" + (f"; {hint}" if (hint := near_hint(kind, TYPES)) else ""))
        wanted: Any = TYPES[kind]
        return isinstance(value, wanted) and not (isinstance(value, bool) and bool not in wanted and kind != "Object")
    return isinstance(kind, type) and isinstance(value, kind)


def new(kind: Any, *arguments: Any) -> Any:
    """Return the object that ``new kind(arguments)`` creates.

    ``kind`` is the name of a built-in type, such as ``"ArrayList"``, or an imported class. Raises NameError for an
    unknown name.
    """
    if not isinstance(kind, str):
        return _checked_result(kind(*arguments), getattr(kind, "__name__", "new"))
    constructor = CONSTRUCTORS.get(kind)
    if constructor is None:
        hint = near_hint(kind, CONSTRUCTORS) or "import its class first"
        raise NameError(f"'new {kind}' is not known; {hint}")
    return constructor(*arguments)


def exception_to_raise(value: Any) -> BaseException:
    """Return the exception that ``throw value`` raises.

    It is the value itself, or a ScriptError with the value as its message if the value is not an exception.
    """
    return value if isinstance(value, Exception) else ScriptError(text(value))


def _list(*arguments: Any) -> list[Any]:
    """Return the list that ``new ArrayList(…)`` creates.

    One iterable argument gives a list of its items. One integer gives an empty list, because in Java it is a capacity.
    Otherwise the arguments are the items.
    """
    first = arguments[0] if len(arguments) == 1 else None
    if isinstance(first, int):
        return []  # a capacity, as in Java
    return list(arguments[0]) if first is not None else list(arguments)


def _map(entries: Any = None) -> dict[Any, Any]:
    return {} if entries is None or isinstance(entries, int) else dict(entries)


def _set(items: Any = None) -> set[Any]:
    return set() if items is None or isinstance(items, int) else set(ticked(items))


def _date(*numbers: Any) -> Any:
    import datetime as dt

    if numbers:
        return dt.datetime.fromisoformat(numbers[0]) if isinstance(numbers[0], str) else dt.datetime(*numbers)  # noqa: DTZ001
    return dt.datetime.now()  # noqa: DTZ005 - dates of XScript are local times, as LocalDateTime of Java


def _error(message: Any = "", *_more: Any) -> ScriptError:
    return ScriptError(text(message))


CONSTRUCTORS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        **dict.fromkeys(("List", "ArrayList", "LinkedList", "Array"), _list),
        **dict.fromkeys(("Map", "HashMap", "LinkedHashMap", "TreeMap", "Object"), _map),
        **dict.fromkeys(("Set", "HashSet", "LinkedHashSet"), _set),
        **dict.fromkeys(("Error", "RuntimeException", "Exception", "IllegalArgumentException"), _error),
        **dict.fromkeys(("NopScriptError", "NopException"), NopScriptError),
        "Date": _date,
    }
)

OPERATIONS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        function.__name__: function
        for function in (
            add, subtract, multiply, divide, remainder, number, template, required, member, call_member, item, set_item,
            spread, spread_items, iterate, rest_list, remaining, instance_of, new, exception_to_raise, truth, equal, type_of,
        )
    }
)  # fmt: skip
