"""What a script works on: the variables of a step.

Rules: whoever keeps variables says what reading one means; a script only needs these few operations of it. To read a
variable that does not exist is an UnknownVariableError, never a KeyError, which may be the script's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol


class Names(Protocol):
    """The variables that a script works on: a scope of the flow."""

    def __getitem__(self, name: str, /) -> Any:
        """Return a variable, or raise UnknownVariableError."""

    def find(self, name: str, default: Any, /) -> Any:
        """Return a variable, or ``default`` when there is none of that name."""

    def __setitem__(self, name: str, value: Any, /) -> None:
        """Set an own variable."""

    def __contains__(self, name: object, /) -> bool:
        """Whether there is an own variable of that name."""

    def pop(self, name: str, default: Any, /) -> Any:
        """Take an own variable away and return it, or return ``default``."""

    def names(self) -> Iterator[str]:
        """Yield every name that can be read."""


class UnknownVariableError(NameError):
    """A script reads a name that is neither a variable of its scope nor in the table of names."""

    explained = False

    def __init__(self, message: str = "", *, name: str = "") -> None:
        super().__init__(message or f"unknown variable '{name}'", name=name)
        self.explained = bool(message)

    def explain(self, message: str) -> None:
        """Say more about it."""
        self.args = (message,)
        self.explained = True
