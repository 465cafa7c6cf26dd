"""What patterns of ``match`` ask of a value: its items, some of its keys, some of its attributes.

Rules: each returns the parts as a tuple, or None when the value is not of that form, by Python's rules for patterns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from taskrun.script.sandbox.guard import guarded_getattr

_ITSELF = (bool, bytearray, bytes, dict, float, frozenset, int, list, set, str, tuple)


def match_sequence(value: Any, count: int, star: int | None) -> tuple[Any, ...] | None:
    """Return the items of a sequence of ``count`` patterns, of which the one at ``star`` takes any number."""
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes, bytearray)):
        return None
    length = len(value)
    if star is None:
        return tuple(value) if length == count else None
    if length < count - 1:
        return None
    end = length - (count - 1 - star)
    return (*value[:star], list(value[star:end]), *value[end:])


def match_mapping(value: Any, wanted: tuple[Any, ...], rest: bool) -> tuple[Any, ...] | None:
    """Return the values of some keys of a mapping, and with ``rest`` a dict of the others."""
    if not isinstance(value, Mapping) or not all(key in value for key in wanted):
        return None
    found = tuple(value[key] for key in wanted)
    return (*found, {key: other for key, other in value.items() if key not in wanted}) if rest else found


def match_class(value: Any, kind: Any, positions: int, names: tuple[str, ...]) -> tuple[Any, ...] | None:
    """Return attributes of an instance of a class: so many of its ``__match_args__``, and those with names."""
    if not isinstance(kind, type):
        raise TypeError("called match pattern must be a class")
    if not isinstance(value, kind):
        return None
    if positions == 1 and issubclass(kind, _ITSELF):
        first: tuple[Any, ...] = (value,)
        wanted: tuple[str, ...] = names
    else:
        known = getattr(kind, "__match_args__", ())
        if positions > len(known):
            raise TypeError(f"{kind.__name__}() accepts {len(known)} positional sub-patterns ({positions} given)")
        first, wanted = (), (*known[:positions], *names)
    try:
        return (*first, *(guarded_getattr(value, name) for name in wanted))
    except AttributeError:
        return None
