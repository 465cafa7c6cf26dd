"""What a task provides: names for its result, or for the parts of it.

    provides="answer"                        the whole result
    provides=("bits", "pieces")              the items of the result, by position
    provides={"bits", "pieces"}              its items, by key
    provides={"bits": "b", "all": None}      its items, by the key given; None is the whole

Rules: a part that the result does not have is a failure which names it; nothing is provided in part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, TypeAlias

from taskrun.core.completion import RESULT

Provides: TypeAlias = str | Sequence[str] | AbstractSet[str] | Mapping[str, Any]
"""A name, or several: by position, by key, or with their keys."""


def keys_by_name(owner: str, provides: Provides | None) -> Mapping[str, Any]:
    """Return for each provided name its key or position in the result, None for the whole; raises TypeError."""
    found = dict(_keys(owner, provides))
    for name in found:
        if not isinstance(name, str):
            raise TypeError(f"{owner}: what is provided has a name, not {name!r}")
        if name == RESULT:
            raise ValueError(f"{owner}: {RESULT} is the whole result in any case; leave it out of provides")
    return found


def _keys(owner: str, provides: Any) -> Iterator[tuple[Any, Any]]:
    if provides is None:
        return
    if isinstance(provides, str):
        yield provides, None
    elif isinstance(provides, Mapping):
        yield from provides.items()
    elif isinstance(provides, AbstractSet):
        yield from ((name, name) for name in sorted(provides, key=str))
    elif isinstance(provides, Sequence):
        yield from ((name, position) for position, name in enumerate(provides))
    else:
        kind = type(provides).__name__
        raise TypeError(f"{owner}: provides is a name, a tuple, a set or a mapping of names, not a {kind}")


def provided(owner: str, keys: Mapping[str, Any], result: Any) -> dict[str, Any]:
    """Return what a result provides by name; raises LookupError for the first name that it does not have."""
    found = {}
    for name, key in keys.items():
        try:
            found[name] = result if key is None else result[key]
        except (LookupError, TypeError):
            kind = type(result).__name__
            text = f"{owner} provides '{name}' as item {key!r} of its result, which is a {kind} that has no such item"
            raise LookupError(text) from None
    return found
