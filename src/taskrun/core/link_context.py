"""LinkContext: the flow and the services that steps and decorators read in the stage ``link``."""

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
    """Protocol of the table of the variables that each step of a flow can read (``compile.variables.Variables``)."""

    @property
    def closed(self) -> bool:
        """Whether the names of all variables of the flow are known."""

    def before(self, step: Step) -> frozenset[str] | None:
        """Return the variables that can be read directly before the step, None if they are not known."""

    def find_problems(self) -> Iterator[Diagnostic]:
        """Yield an error for each reference to a variable that no step or input sets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkContext:
    """Context of the stage ``link``: the flow that is being linked, and the services of its TaskManager."""

    services: Services
    flow: Flow
    variables: VariableTable | None = None
    """The table of the flow's variables, None while it is being computed."""
    library_steps: frozenset[tuple[str, str]] = frozenset()
    """File and name of the library steps that are being linked, so that a recursive step is linked only once."""
    add_call: Callable[[Step, Flow], object]
    """Function that registers a call of another flow by a step, so that the other flow is linked too."""

    def has_bean(self, name: str) -> bool:
        """Return whether the flow can use a bean of that name."""
        return name in self.services.beans or name in self.flow.bean_ids

    def bean_names(self) -> Sequence[str]:
        """Return the names of the beans that the flow can use."""
        return (*self.flow.bean_ids, *self.services.beans.names())

    def visible(self, step: Step) -> frozenset[str] | None:
        """Return the variables that can be read directly before the step, None if they are not known."""
        return self.variables.before(step) if self.variables is not None else None
