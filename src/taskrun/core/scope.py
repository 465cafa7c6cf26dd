"""Scope: the variables of a step, with a parent scope in which missing names are looked up.

Rules: a read also searches the parents, an assignment changes only the scope itself. A scope is a dict with
``__missing__``, so that reading one of its own variables costs one dict lookup. Only outputs are assigned in a parent.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from taskrun.script.scope import UnknownVariableError


class Scope(dict[str, Any]):
    """Dict of a step's own variables; ``scope[name]`` also reads those of the parents, or raises UnknownVariableError.

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
        """Return a variable of the nearest parent that has it; raise UnknownVariableError if none has."""
        scope = self.parent
        while scope is not None:
            if name in scope:
                return scope[name]
            scope = scope.parent
        raise UnknownVariableError(name=name)

    def find(self, name: str, default: Any, /) -> Any:
        """Return a variable of this scope or of its parents, or ``default`` if there is none."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope:
                return scope[name]
            scope = scope.parent
        return default

    def has(self, name: str) -> bool:
        """Return whether this scope or one of its parents has the variable."""
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
