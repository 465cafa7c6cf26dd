"""Operations of ``match`` at run time: split a value into the parts that sequence, mapping and class patterns match.

Rules: each function returns the parts as a tuple, or None if the value does not have the form of the pattern, by the
rules of Python for patterns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from taskrun.script.sandbox.guard import guarded_getattr

_ITSELF = (bool, bytearray, bytes, dict, float, frozenset, int, list, set, str, tuple)


def match_sequence(value: Any, count: int, star: int | None) -> tuple[Any, ...] | None:
    """Return the items of a sequence for a pattern of ``count`` parts, or None if the value does not have that form.

    Parameters: ``star`` is the index of the starred part, which receives a list of any length, or None.
    """
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
    """Return the values of the keys ``wanted``, or None if the value is no mapping or lacks one of them.

    With ``rest``, the last item of the result is a dict of all other entries.
    """
    if not isinstance(value, Mapping) or not all(key in value for key in wanted):
        return None
    found = tuple(value[key] for key in wanted)
    return (*found, {key: other for key, other in value.items() if key not in wanted}) if rest else found


def match_class(value: Any, kind: Any, positions: int, names: tuple[str, ...]) -> tuple[Any, ...] | None:
    """Return the attributes that a class pattern matches, or None if ``value`` is no instance of ``kind``.

    Parameters: ``positions`` is the number of positional patterns, ``names`` are the attributes of keyword patterns.
    Attributes are read through the guard. Raises TypeError if ``kind`` is no class or has too few ``__match_args__``.
    """
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
