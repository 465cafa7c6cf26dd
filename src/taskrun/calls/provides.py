"""Conversion of the result of a task to named outputs, as its setting ``provides`` describes.

    provides="answer"                        the whole result
    provides=("bits", "pieces")              the items of the result, by position
    provides={"bits", "pieces"}              its items, by key
    provides={"bits": "b", "all": None}      its items, by the key given; None is the whole

Rules: if the result does not have one of the items, the step fails and has no outputs at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, TypeAlias

from taskrun.core.completion import RESULT

Provides: TypeAlias = str | Sequence[str] | AbstractSet[str] | Mapping[str, Any]
"""A name, names by position, names that are keys, or a mapping from names to keys."""


def keys_by_name(owner: str, provides: Provides | None) -> Mapping[str, Any]:
    """Return each output name of ``provides`` with its key or position in the result, None for the whole result.

    Raises TypeError if ``provides`` is of a wrong type, ValueError if it names RESULT. ``owner`` is the name of the
    task.
    """
    keys = dict(_keys(owner, provides))
    for name in keys:
        if not isinstance(name, str):
            raise TypeError(f"{owner}: provides consists of names, not {name!r}")
        if name == RESULT:
            raise ValueError(f"{owner}: {RESULT} is the whole result in any case; leave it out of provides")
    return keys


def _keys(owner: str, provides: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each output name of ``provides`` with its key in the result; raises TypeError for a value of a wrong type."""
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


def provided_outputs(owner: str, keys: Mapping[str, Any], result: Any) -> dict[str, Any]:
    """Return the outputs of a task: by name, the item of ``result`` at its key; raises LookupError for a missing item."""
    outputs = {}
    for name, key in keys.items():
        try:
            outputs[name] = result if key is None else result[key]
        except (LookupError, TypeError):
            kind = type(result).__name__
            text = f"{owner} provides '{name}' as item {key!r} of its result, which is a {kind} that has no such item"
            raise LookupError(text) from None
    return outputs
