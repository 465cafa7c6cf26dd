"""LinkContext: what steps and decorators get in the stage ``link`` to check names outside their file."""

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
    """Protocol of the table of the variables that each step of a flow can read.

    ``model.variables.Variables`` implements it; the protocol exists because ``core`` must not import ``model``.
    """

    @property
    def closed(self) -> bool:
        """Whether the file determines the names of all variables of the flow.

        Otherwise no variable can be called unknown.
        """

    def before(self, step: Step) -> frozenset[str] | None:
        """Return the names of the variables that the step's inputs can read, None if the table is not ``closed``."""

    def find_problems(self) -> Iterator[Diagnostic]:
        """Yield an error for each place where a script or input reads a variable that nothing in the flow sets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkContext:
    """Argument of ``link``: the flow that is being checked, and the services of its TaskManager."""

    services: Services
    flow: Flow
    variables: VariableTable | None = None
    """The table of the variables that each step can read; None while the table itself is being computed."""
    library_steps: frozenset[tuple[str, str]] = frozenset()
    """The library steps that are being linked now, each as file and name.

    A step that calls itself finds itself here, and is then not linked again.
    """
    add_call: Callable[[Step, Flow], object]
    """Function that a step calls with itself and the flow that it calls, so that this flow is linked too."""

    def has_bean(self, name: str) -> bool:
        """Return whether the flow can use a bean of that name, from its own ``<beans>`` or from the TaskManager."""
        return name in self.services.beans or name in self.flow.bean_ids

    def bean_names(self) -> Sequence[str]:
        """Return the names of all beans that the flow can use, for messages that suggest a similar name."""
        return (*self.flow.bean_ids, *self.services.beans.names())

    def visible(self, step: Step) -> frozenset[str] | None:
        """Return the names of the variables that the inputs of the step can read, None if they are not known."""
        return self.variables.before(step) if self.variables is not None else None
