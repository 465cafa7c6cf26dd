"""Run: one execution of a flow.

Rules: what changes during an execution is in its Run and its frames. Each called task has a Run of its own, with its
own scope and inputs. It shares services, journal, control and rollback with the Run of its caller, which is its parent.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from taskrun.core.beans import RunBeans
from taskrun.core.control import Control
from taskrun.core.journal import NO_JOURNAL, RunJournal
from taskrun.core.limits import Limiters
from taskrun.core.rollback import Compensation, Rollback
from taskrun.core.scope import Scope
from taskrun.core.script_views import TaskView
from taskrun.core.states import RunState
from taskrun.errors import RunError

if TYPE_CHECKING:
    from taskrun.core.events import Event, Observer
    from taskrun.core.flow import Flow
    from taskrun.core.services import Services

MAX_CALLS = 32
"""The maximum depth of tasks that call tasks; it ends an endless recursion."""


class Run:
    """One execution of a flow: its id, scopes, services and state.

    ``scope`` is the scope of the task; its parent ``base`` contains the variables that the engine sets, such as
    ``taskRt``. A called task has a run of its own: ``parent`` is the run of the caller, ``called_from`` the path of the
    calling step, and ``depth`` the number of callers. ``top`` is the outermost of the callers, or this run if nothing
    called it. Only the ``state`` of ``top`` is kept up to date.
    """

    def __init__(
        self,
        services: Services,
        flow: Flow,
        *,
        run_id: str | None = None,
        flags: frozenset[str] = frozenset(),
        parent: Run | None = None,
        called_from: str | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        if run_id is not None and not isinstance(run_id, str):
            raise TypeError(f"run_id must be a str, not {run_id!r}")
        self.services = services
        self.flow = flow
        self.run_id: str = run_id or os.urandom(16).hex()
        self.flags = flags
        self.parent = parent
        self.called_from = called_from
        self.depth: int = 0
        self.observers: tuple[Observer, ...] = services.observers
        self.traced: bool = bool(services.observers)
        self.limiters: Limiters = Limiters()
        self.state = RunState.RUNNING
        if parent is None:
            self.top: Run = self
            self.journal: RunJournal = NO_JOURNAL
            self.control: Control = Control(NO_JOURNAL)
            self.rollback: Rollback = Rollback()
            self.compensations: list[Compensation] = []
        else:
            self.depth = parent.depth + 1
            self.top = parent.top
            self.journal, self.control, self.rollback = parent.journal, parent.control, parent.rollback
            self.compensations = parent.compensations
        self._beans: RunBeans | None = None
        self.base: Scope = Scope(None, inject=self.inject, taskRt=TaskView(self), svcCtx=context, RESULT=None)
        self.scope: Scope = Scope(self.base)

    def record_in(self, journal: RunJournal) -> None:
        """Set the journal in which the run is recorded; called before the run begins."""
        self.journal = self.control.journal = journal

    @property
    def beans(self) -> RunBeans:
        """The beans that this run can use.

        These are those of the task's ``<beans>``, then those of the TaskManager. A called task with
        ``useParentBeanContainer`` uses those of its caller instead of those of the TaskManager.
        """
        if self._beans is None:
            outer: Any = self.services.beans
            if self.flow.header.use_parent_bean_container and self.parent is not None:
                outer = self.parent.beans
            self._beans = RunBeans(self.flow.header.definitions, outer, self.services.imports, self.scope)
        return self._beans

    def inject(self, name: str) -> Any:
        """Return a bean by name; scripts of a flow call it as ``inject("name")``.

        Raises PluginError if there is none.
        """
        return self.beans.get(name)

    def emit(self, event: Event) -> None:
        """Pass an event to the log and to all observers.

        If an observer raises an exception, the exception is logged and the observer gets no more events of this run.
        """
        self.services.log(event)
        top = self.top
        for observer in top.observers:
            try:
                observer(event)
            except Exception:
                logging.getLogger("taskrun").exception(
                    "%s: an observer raised an exception and gets no more events", self.run_id
                )
                top.observers = tuple(other for other in top.observers if other is not observer)

    def report(self, text: str) -> None:
        """Log a problem as a warning, where an exception would make a step fail without need."""
        logging.getLogger("taskrun").warning("%s: %s", self.run_id, text)

    def cancel(self, reason: str = "kill") -> None:
        """Cancel the run, also for the tasks that called it; must be called in the event loop of the run."""
        self.control.cancel(reason)

    @property
    def is_cancelled(self) -> bool:
        """Whether a cancellation of the run was requested; its steps may still be ending."""
        return self.control.cancelled is not None

    @property
    def is_aborted(self) -> bool:
        """Whether the run has to end at once, because its records cannot be written or do not fit its flow."""
        return self.journal.problem is not None

    def child_run(self, path: str, called_from: str) -> Run:
        """Create the run of a task that a step of this run calls; the new run has not started.

        Parameters: ``path`` is the file of the task, ``called_from`` the path of the calling step. Raises FlowError if
        the file is wrong, and RunError if tasks call tasks more than ``MAX_CALLS`` levels deep.
        """
        if self.depth >= MAX_CALLS:
            chain = " → ".join(self.callers()[-4:])
            raise RunError(
                f"tasks call tasks more than {MAX_CALLS} deep: … → {chain} → {path}; end the recursion with <when>"
            )
        flow = self.journal.recorded_flow(path, self.services.load(path), self.services.compile_text)
        return Run(self.services, flow, parent=self, called_from=called_from)

    def callers(self) -> list[str]:
        """Return the files of the flows from the outermost caller to this run, for messages."""
        chain = [self.flow.path]
        run = self.parent
        while run is not None:
            chain.append(run.flow.path)
            run = run.parent
        return chain[::-1]

    def close(self) -> list[Exception]:
        """Destroy the beans that the run has created, and return the exceptions of their destroy methods."""
        if self._beans is None:
            return []
        return list(self._beans.close())
