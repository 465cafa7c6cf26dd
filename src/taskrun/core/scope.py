"""Variables: a step's own names, and the way up to those it may read.

Rules: reading walks up the parents, writing stays here. A scope is a plain dict whose missing names are looked up in
its parent, so that reading an own name costs one dict look-up. Only outputs leave a scope.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from taskrun.script.scope import UnknownVariableError


class Scope(dict[str, Any]):
    """A mapping of the own variables; ``scope[name]`` also finds those of the parents, or raises UnknownVariableError.

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
        scope = self.parent
        while scope is not None:
            if name in scope:
                return scope[name]
            scope = scope.parent
        raise UnknownVariableError(name=name)

    def find(self, name: str, default: Any, /) -> Any:
        """Return a variable of this scope or of its parents, or ``default`` when there is none."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope:
                return scope[name]
            scope = scope.parent
        return default

    def has(self, name: str) -> bool:
        """Whether the name can be read here."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope:
                return True
            scope = scope.parent
        return False

    def names(self) -> Iterator[str]:
        """Yield every name that can be read here, nearest first; names that are hidden by nearer ones come twice."""
        scope: Scope | None = self
        while scope is not None:
            yield from scope
            scope = scope.parent
