"""Look up what a table has for a class or for the class from which it inherits a method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

Entry = TypeVar("Entry")


def for_verb(table: Mapping[type, Entry], cls: type, verb: str) -> Entry | None:
    """Return the entry of the class in which ``cls`` finds the method ``verb``, None when the table has none."""
    for owner in cls.__mro__:
        if verb in vars(owner):
            return table.get(owner)
    return None
