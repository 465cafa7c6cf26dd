"""Interface of the scope in which a script reads and assigns variables, and the error for an unknown variable.

Rules: the implementation of the scope decides how a variable is looked up; a script uses only these operations. Reading
a variable that does not exist raises UnknownVariableError and never KeyError, because a KeyError may come from the
script itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol


class Names(Protocol):
    """Protocol of a scope: the operations by which a script reads and assigns variables."""

    def __getitem__(self, name: str, /) -> Any:
        """Return the value of a variable of this scope or its parents; raises UnknownVariableError if there is none."""

    def find(self, name: str, default: Any, /) -> Any:
        """Return the value of a variable of this scope or of its parents, or ``default`` if it does not exist."""

    def __setitem__(self, name: str, value: Any, /) -> None:
        """Set a variable of this scope."""

    def __contains__(self, name: object, /) -> bool:
        """Return whether this scope itself has a variable of that name; its parents do not count."""

    def pop(self, name: str, default: Any, /) -> Any:
        """Remove a variable of this scope and return its value, or return ``default`` if it does not exist."""

    def names(self) -> Iterator[str]:
        """Yield the names of all variables that can be read, including those of the parents."""


class UnknownVariableError(NameError):
    """Error of a script that reads a name which is neither a variable of its scope nor in its namespace.

    The scope raises it with the name only; the evaluator then completes the message by ``explain``. ``explained`` tells
    whether the message is complete.
    """

    explained: bool = False

    def __init__(self, message: str = "", *, name: str = "") -> None:
        super().__init__(message or f"unknown variable '{name}'", name=name)
        self.explained = bool(message)

    def explain(self, message: str) -> None:
        """Replace the message by a more detailed one, and set ``explained``."""
        super().__init__(message, name=self.name)
        self.explained = True
