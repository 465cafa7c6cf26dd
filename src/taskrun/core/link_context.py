"""Data of the stage ``link``: what steps and decorators may ask about the world outside their file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from taskrun.core.step import Step
    from taskrun.errors import Diagnostic


class VariableTable(Protocol):
    """Which variables each step of a flow can read; ``compile.variables.Variables`` computes it."""

    @property
    def closed(self) -> bool:
        """Whether every variable that can be read is known."""

    def before(self, step: Step) -> frozenset[str] | None:
        """Return the variables that can be read where the step is called, None when they are not known."""

    def find_problems(self) -> Iterator[Diagnostic]:
        """Yield an error for each script that reads a variable which nothing sets."""
