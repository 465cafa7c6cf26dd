"""Look up a class in a table by the class that defines one of its methods; an override excludes the class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

Entry = TypeVar("Entry")


def for_verb(table: Mapping[type, Entry], cls: type, verb: str) -> Entry | None:
    """Return the entry of the class that defines the method ``verb`` of ``cls``, None without an entry."""
    for owner in cls.__mro__:
        if verb in vars(owner):
            return table.get(owner)
    return None
