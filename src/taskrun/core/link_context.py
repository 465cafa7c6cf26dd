"""LinkContext: what steps and decorators may ask about the world outside their file in the stage ``link``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from taskrun.core.flow import Flow
    from taskrun.core.services import Services
    from taskrun.core.step import Step
    from taskrun.errors import Diagnostic


class VariableTable(Protocol):
    """Table of the variables that each step of a flow can read, implemented by ``compile.variables.Variables``."""

    @property
    def closed(self) -> bool:
        """Whether all variables of the flow are known."""

    def before(self, step: Step) -> frozenset[str] | None:
        """Return the variables that can be read where the step is called, None when they are not known."""

    def find_problems(self) -> Iterator[Diagnostic]:
        """Yield an error for each reference to a variable that nothing sets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkContext:
    """The flow that is being linked, with the services of the manager that will run it."""

    services: Services
    flow: Flow
    variables: VariableTable | None = None
    """The variables of the flow; None while they are being computed."""
    library_steps: frozenset[tuple[str, str]] = frozenset()
    """The library steps that are being linked, by file and name, so that a step that calls itself is linked once."""
    add_call: Callable[[Step, Flow], object]
    """Stores that a step of the flow calls another flow, which has to be linked too."""

    def has_bean(self, name: str) -> bool:
        """Return whether the flow can use a bean of that name."""
        return name in self.services.beans or name in self.flow.bean_ids

    def bean_names(self) -> Sequence[str]:
        """Return the names of the beans that the flow can use."""
        return (*self.flow.bean_ids, *self.services.beans.names())

    def visible(self, step: Step) -> frozenset[str] | None:
        """Return the variables that can be read where the step is called, None when they are not known."""
        return self.variables.before(step) if self.variables is not None else None
