"""Look up what the optimizer knows about a class, but only if the class has not overridden the method concerned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

Entry = TypeVar("Entry")


def for_verb(table: Mapping[type, Entry], cls: type, verb: str) -> Entry | None:
    """Return the table's entry for the class that defines the method ``verb`` of ``cls``, None if it has no entry.

    A subclass that inherits the method gets the entry of its base class. One that overrides it gets none.
    """
    for owner in cls.__mro__:
        if verb in vars(owner):
            return table.get(owner)
    return None
