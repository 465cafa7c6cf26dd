"""Scope: the variables of a step, with a parent scope in which missing names are looked up.

Rules: a read also searches the parents, an assignment changes only the scope itself. A step changes a variable of
another scope only by exporting outputs. A scope is a dict with ``__missing__``, so that reading one of its own
variables costs one dict lookup.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from taskrun.script.scope import UnknownVariableError


class Scope(dict[str, Any]):
    """The variables of one step, as a dict; a name that it lacks is looked up in the parent scopes.

    ``scope[name]`` raises UnknownVariableError if no scope has the name. ``name in scope`` looks only in the scope
    itself.

    >>> outer = Scope(None, x=1)
    >>> inner = Scope(outer, y=2)
    >>> inner["x"], "x" in inner, inner.has("x")
    (1, False, True)
    """

    __slots__ = ("parent",)

    def __init__(self, parent: Scope | None, /, **variables: Any) -> None:
        super().__init__(variables)
        self.parent: Scope | None = parent

    def __missing__(self, name: str) -> Any:
        """Look up a name that this scope lacks in its parents, the nearest first (called by ``scope[name]``).

        Raises UnknownVariableError if none of them has it.
        """
        scope = self.parent
        while scope is not None:
            if name in scope:
                return scope[name]
            scope = scope.parent
        raise UnknownVariableError(name=name)

    def find(self, name: str, default: Any, /) -> Any:
        """Return the variable of that name from this scope or its parents, ``default`` if none of them has it."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope:
                return scope[name]
            scope = scope.parent
        return default

    def has(self, name: str) -> bool:
        """Return whether this scope or one of its parents has a variable of that name."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope:
                return True
            scope = scope.parent
        return False

    def names(self) -> Iterator[str]:
        """Yield the names of all readable variables, those of this scope first; a name may occur more than once."""
        scope: Scope | None = self
        while scope is not None:
            yield from scope
            scope = scope.parent
