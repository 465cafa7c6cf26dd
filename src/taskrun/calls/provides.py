"""Split the result of a Task into named outputs, as its setting ``provides`` describes.

    provides="answer"                        the output answer is the whole result
    provides=("bits", "pieces")              bits is the first item of the result, pieces the second
    provides={"bits", "pieces"}              bits is result["bits"], pieces is result["pieces"]
    provides={"bits": "b", "all": None}      bits is result["b"], all is the whole result

Rules: if the result lacks one of the items, the step fails and has no outputs at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, TypeAlias

from taskrun.core.completion import RESULT

Provides: TypeAlias = str | Sequence[str] | AbstractSet[str] | Mapping[str, Any]
"""A value of the setting ``provides``: a name, a tuple of names, a set of names, or a mapping from names to keys."""


def keys_by_name(owner: str, provides: Provides | None) -> Mapping[str, Any]:
    """Return for each output name in ``provides`` the key or position of its item in the result of the Task.

    None stands for the whole result. ``owner`` is the name of the Task, for messages. Raises TypeError if ``provides``
    has a wrong type, and ValueError if it contains the name RESULT, which is always the whole result.
    """
    keys = dict(_keys(owner, provides))
    for name in keys:
        if not isinstance(name, str):
            raise TypeError(f"{owner}: provides consists of names, not {name!r}")
        if name == RESULT:
            raise ValueError(f"{owner}: {RESULT} is the whole result in any case; leave it out of provides")
    return keys


def _keys(owner: str, provides: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each output name in ``provides`` with the key of its value in the result.

    Raises TypeError if ``provides`` has a wrong type.
    """
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
    """Return the outputs of a Task, by name: the items of ``result`` at the ``keys`` that ``keys_by_name`` returned.

    Raises LookupError if the result lacks one of these items. ``owner`` is the name of the Task, for messages.
    """
    outputs = {}
    for name, key in keys.items():
        try:
            outputs[name] = result if key is None else result[key]
        except (LookupError, TypeError):
            kind = type(result).__name__
            text = f"{owner} provides '{name}' as item {key!r} of its result, which is a {kind} that has no such item"
            raise LookupError(text) from None
    return outputs
