"""What a run uses from outside itself: settings of the TaskManager and the services behind them.

Rules: a host is shared by all runs of a TaskManager and holds what runs share: beans, worker threads and processes,
compiled flows, and the limits that are ``global``. Where flows are found belongs to the run that was started.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from taskrun.core.beans import Beans, Imports
from taskrun.core.events import Observer
from taskrun.core.limits import Limiters
from taskrun.core.search_path import SearchPath
from taskrun.core.workers import Processes, Threads

if TYPE_CHECKING:
    from taskrun.core.flow import Flow
    from taskrun.core.link_context import VariableTable
    from taskrun.core.step import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The surroundings of runs.

    ``load`` compiles a flow file (or returns it compiled), ``compile_text`` a text that is not in its file any more.
    """

    load: Callable[[str], Flow]
    compile_text: Callable[[str, str], Flow]
    beans: Beans
    imports: Imports
    lookup: SearchPath
    observers: tuple[Observer, ...] = ()
    log: Observer
    random: Callable[[], float] = random.random
    limiters: Limiters = field(default_factory=Limiters)
    threads: Threads = field(default_factory=Threads)
    processes: Processes = field(default_factory=Processes)
    check_mutation: bool = False
    """Whether steps are watched for changes to what they are given."""
    flow: Flow | None = None
    """The flow that is being checked."""
    variables: VariableTable | None = None
    """Those of the flow that is being checked."""
    checking: frozenset[tuple[str, str]] = frozenset()
    """The steps of libraries that are being checked, by file and name."""
    called: Callable[[Step, Flow], object] | None = None
    """Takes the steps of the flow being checked that call another flow, with that flow."""

    def has_bean(self, name: str) -> bool:
        """Whether the flow that is being checked can use a bean of that name."""
        return name in self.beans or (self.flow is not None and name in self.flow.bean_ids)

    def bean_names(self) -> Sequence[str]:
        """Return the names of the beans that the flow being checked can use."""
        own = self.flow.bean_ids if self.flow is not None else ()
        return (*own, *self.beans.names())

    def visible(self, step: Step) -> frozenset[str] | None:
        """Return the variables that can be read where the step is called, None when that cannot be known."""
        return self.variables.before(step) if self.variables is not None else None
