"""Functions that compiled scripts call to match sequence, mapping and class patterns of a ``match`` statement.

Rules: each function follows Python's rules for its kind of pattern. It returns the values inside the subject that the
patterns inside the pattern must match, as a tuple. It returns None if the subject cannot match.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from taskrun.script.sandbox.guard import guarded_getattr

_ITSELF = (bool, bytearray, bytes, dict, float, frozenset, int, list, set, str, tuple)


def match_sequence(value: Any, count: int, star: int | None) -> tuple[Any, ...] | None:
    """Return the items of a sequence for a pattern with ``count`` parts, such as ``[a, b, *c]``, as a tuple.

    Parameters: ``star`` is the index of the starred part, None if there is none; the starred part gets a list of all
    items that the others leave. Returns None if ``value`` is no sequence, is a text or bytes, or has another number of
    items.
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
    """Return the values of the map keys ``wanted`` as a tuple, for a pattern such as ``{"a": x, **others}``.

    With ``rest``, a dict of all other entries is added at the end of the tuple. Returns None if ``value`` is no mapping
    or lacks one of the map keys.
    """
    if not isinstance(value, Mapping) or not all(key in value for key in wanted):
        return None
    found = tuple(value[key] for key in wanted)
    return (*found, {key: other for key, other in value.items() if key not in wanted}) if rest else found


def match_class(value: Any, kind: Any, positions: int, names: tuple[str, ...]) -> tuple[Any, ...] | None:
    """Return the values for the patterns inside a class pattern, such as ``Point(x, label=y)``, as a tuple.

    Parameters: ``kind`` is the class, ``positions`` the number of positional patterns, ``names`` are the attributes of
    the keyword patterns. Attributes are read through the guard. Returns None if ``value`` is no instance of ``kind`` or
    lacks an attribute. Raises TypeError if ``kind`` is no class or has too few ``__match_args__``.
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
